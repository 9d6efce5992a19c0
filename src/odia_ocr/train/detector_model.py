"""The line detector as a torch module: a small convolutional pyramid over grey page pixels.

At a quarter of the input's resolution it tells where the bodies of letters stand in a row, gaps
between words included, and how far the row's ink reaches above and below its middle.

Source: the shrunken text kernel is of PSENet (Wang et al. 2019, arXiv 1903.12473), the distances
at each of its pixels of EAST (Zhou et al. 2017, arXiv 1704.03155), the pyramid of FPN (Lin et al.
2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from odia_ocr.train.ctc_model import Residual, conv_norm
from odia_ocr.train.run_config import settings_from

MULTIPLE = 32  # sides of the input


@dataclass(frozen=True, slots=True)
class DetectorArchitecture:
    """Shape of the network.

    Attributes:
        channels: At 1/2, 1/4, 1/8, 1/16 and 1/32 of the resolution.
        blocks: Residual blocks at 1/4, 1/8, 1/16 and 1/32.
        neck: Channels of the pyramid.
    """

    channels: tuple[int, int, int, int, int] = (12, 24, 48, 80, 112)
    blocks: tuple[int, int, int, int] = (1, 2, 2, 3)
    neck: int = 40


def detector_architecture_from(values: dict[str, Any]) -> DetectorArchitecture:
    """Build an architecture from plain values, as JSON holds them.

    Raises:
        ConfigError: On an unknown key.
    """
    return settings_from(DetectorArchitecture, values, what="architecture")


def _mix(channels: int, kernel: tuple[int, int]) -> nn.Module:
    """Depthwise convolution, then an inverted bottleneck, residual."""
    return Residual(
        nn.Sequential(
            conv_norm(channels, channels, kernel, groups=channels, relu=False),
            conv_norm(channels, 2 * channels, 1),
            conv_norm(2 * channels, channels, 1, relu=False),
        )
    )


class DetectorModel(nn.Module):
    """uint8 or float pixels (N, 1, H, W), sides multiples of 32 -> (N, 3, H / 4, W / 4).

    Channel 0 is the logit of a row's kernel; 1 and 2 are the logarithms of the distances from the
    row's middle up and down to the end of its ink, in units of `DISTANCE_UNIT` pixels.
    """

    def __init__(self, architecture: DetectorArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        half, *stages = architecture.channels
        self.stem = conv_norm(1, half, 3, stride=2)
        # Wide kernels deep down: a row is told by what stands left and right of it.
        kernels = ((3, 5), (3, 7), (3, 9), (3, 9))
        downs: list[nn.Module] = []
        before = half
        for channels, count, kernel in zip(stages, architecture.blocks, kernels, strict=True):
            downs.append(
                nn.Sequential(
                    conv_norm(before, channels, 3, stride=2),
                    *(_mix(channels, kernel) for _ in range(count)),
                )
            )
            before = channels
        self.downs = nn.ModuleList(downs)
        neck = architecture.neck
        self.laterals = nn.ModuleList(conv_norm(c, neck, 1, relu=False) for c in stages)
        self.joins = nn.ModuleList(_mix(neck, (3, 5)) for _ in stages[:-1])
        self.head = nn.Conv2d(neck, 3, 1)
        nn.init.constant_(self.head.bias[:1], -2.0)  # type: ignore[index]

    def forward(self, pixels: Tensor) -> Tensor:
        """See the class."""
        x = 1.0 - pixels.to(self.head.weight.dtype) * (1.0 / 127.5)
        x = self.stem(x)
        levels = []
        for down in self.downs:
            x = down(x)
            levels.append(x)
        y = self.laterals[-1](levels[-1])
        for level in (2, 1, 0):
            y = nn.functional.interpolate(y, scale_factor=2.0, mode="nearest")
            y = self.joins[level](torch.relu(y + self.laterals[level](levels[level])))
        maps: Tensor = self.head(y)
        return maps
