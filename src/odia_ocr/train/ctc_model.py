"""The compact CTC recognizer as a torch module: convolutions, BiLSTM layers, a linear head.

Its configuration travels with its weights. Input is uint8 pixels as `recognize.line_tensor` makes
them, so scaling is part of the model and cannot drift.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from odia_ocr.errors import ConfigError
from odia_ocr.train.run_config import settings_from

Mixer = Literal["lstm", "conv", "attention", "alternating"]


@dataclass(frozen=True, slots=True)
class CtcArchitecture:
    """Shape of the network.

    Attributes:
        height: Input height in pixels, a multiple of 8.
        channels: Channels of the stem, the detail stage (1/2), the middle stage (1/4) and the last
            stage (width 1/4, height 1/8).
        blocks: Residual blocks at the middle and the last stage.
        mixer: What mixes along the line: BiLSTM layers; convolutions; one convolution, then
            attention layers; or convolution and attention in turns.
        width: Features per frame entering the mixer.
        hidden: LSTM units per direction.
        layers: Mixer layers.
        dropout: Before the mixer and between its layers.
        classes: Output classes, blank included.
    """

    height: int = 48
    channels: tuple[int, int, int, int] = (16, 32, 64, 128)
    blocks: tuple[int, int] = (1, 1)
    mixer: Mixer = "lstm"
    width: int = 192
    hidden: int = 160
    layers: int = 2
    dropout: float = 0.1
    classes: int = 196

    def __post_init__(self) -> None:
        if self.height % 8:
            raise ConfigError(f"Architecture height must be a multiple of 8, got {self.height}.")

    @property
    def stride(self) -> int:
        """Input pixels per output frame."""
        return 4


def architecture_from(values: dict[str, Any]) -> CtcArchitecture:
    """Build an architecture from plain values, as JSON holds them.

    Raises:
        ConfigError: On an unknown key.
    """
    return settings_from(CtcArchitecture, values, what="architecture")


def conv_norm(
    inputs: int,
    outputs: int,
    kernel: int | tuple[int, int],
    *,
    stride: int | tuple[int, int] = 1,
    groups: int = 1,
    relu: bool = True,
) -> nn.Sequential:
    """Convolution, batch norm, and a ReLU (which inference folds into the convolution)."""
    size = (kernel, kernel) if isinstance(kernel, int) else kernel
    padding = (size[0] // 2, size[1] // 2)
    parts: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, size, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    if relu:
        parts.append(nn.ReLU(inplace=True))
    return nn.Sequential(*parts)


class Residual(nn.Module):
    """x + f(x)."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """Shapes are kept."""
        return torch.relu(x + self.inner(x))


def separable(channels: int, kernel: int | tuple[int, int]) -> nn.Module:
    """Depthwise convolution then a pointwise one, residual: cheap context."""
    return Residual(
        nn.Sequential(
            conv_norm(channels, channels, kernel, groups=channels),
            conv_norm(channels, channels, 1, relu=False),
        )
    )


class ConvMixer(nn.Module):
    """Mixes along the line with wide depthwise convolutions and pointwise layers."""

    def __init__(self, width: int, layers: int, dropout: float) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        for _ in range(layers):
            blocks.append(
                Residual(
                    nn.Sequential(
                        conv_norm(width, width, (1, 11), groups=width),
                        conv_norm(width, 2 * width, 1),
                        nn.Dropout(dropout),
                        conv_norm(2 * width, width, 1, relu=False),
                    )
                )
            )
        self.blocks = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> Tensor:
        """(N, T, C) -> (N, T, C)."""
        y: Tensor = self.blocks(x.transpose(1, 2).unsqueeze(2))
        return y.squeeze(2).transpose(1, 2)


class SelfAttention(nn.Module):
    """Pre-norm self-attention and a feed-forward layer, both residual."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.before = nn.LayerNorm(width)
        self.project_in = nn.Linear(width, 3 * width)
        self.project_out = nn.Linear(width, width)
        self.feed = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, T, C) -> (N, T, C)."""
        # Reshapes name the batch as -1, so that an exported graph takes any batch and length.
        size = x.shape[-1] // self.heads
        parts = self.project_in(self.before(x)).chunk(3, dim=-1)
        query, key, value = (
            part.unflatten(-1, (self.heads, size)).transpose(1, 2) for part in parts
        )
        weights = (query @ key.transpose(2, 3) * size**-0.5).softmax(-1)  # (N, heads, T, T)
        x = x + self.project_out((weights @ value).transpose(1, 2).flatten(2))
        y: Tensor = x + self.feed(x)
        return y


class AttentionMixer(nn.Module):
    """Local mixing by convolution, then global self-attention, after SVTR (arXiv 2205.00159)."""

    def __init__(self, width: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.local = ConvMixer(width, 1, dropout)
        self.layers = nn.Sequential(*(SelfAttention(width, 6, dropout) for _ in range(layers)))

    def forward(self, x: Tensor) -> Tensor:
        """(N, T, C) -> (N, T, C)."""
        y: Tensor = self.layers(self.local(x))
        return y


class AlternatingMixer(nn.Module):
    """Convolution and self-attention in turns, as a Conformer has them (arXiv 2005.08100)."""

    def __init__(self, width: int, layers: int, dropout: float) -> None:
        super().__init__()
        pairs = [
            (ConvMixer(width, 1, dropout), SelfAttention(width, 6, dropout)) for _ in range(layers)
        ]
        self.layers = nn.Sequential(*(part for pair in pairs for part in pair))

    def forward(self, x: Tensor) -> Tensor:
        """(N, T, C) -> (N, T, C)."""
        y: Tensor = self.layers(x)
        return y


_MIXERS = {"conv": ConvMixer, "attention": AttentionMixer, "alternating": AlternatingMixer}


class CtcModel(nn.Module):
    """uint8 or float pixels (N, 1, H, W) -> logits (N, W / 4, classes)."""

    def __init__(self, architecture: CtcArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        stem, detail, middle, last = architecture.channels
        self.features = nn.Sequential(
            conv_norm(1, stem, 3, stride=2),
            conv_norm(stem, detail, 3),
            nn.MaxPool2d(2),
            conv_norm(detail, middle, 3),
            *(
                Residual(conv_norm(middle, middle, 3, relu=False))
                for _ in range(architecture.blocks[0])
            ),
            nn.MaxPool2d((2, 1)),
            conv_norm(middle, last, 3),
            *(separable(last, 5) for _ in range(architecture.blocks[1])),
        )
        rows = architecture.height // 8
        self.dropout = nn.Dropout(architecture.dropout)
        self.project = nn.Linear(last * rows, architecture.width)
        outputs = architecture.width
        if architecture.mixer == "lstm":
            self.mixer: nn.Module = nn.LSTM(
                architecture.width,
                architecture.hidden,
                architecture.layers,
                batch_first=True,
                bidirectional=True,
                dropout=architecture.dropout if architecture.layers > 1 else 0.0,
            )
            outputs = 2 * architecture.hidden
        else:
            self.mixer = _MIXERS[architecture.mixer](
                architecture.width, architecture.layers, architecture.dropout
            )
        self.head = nn.Linear(outputs, architecture.classes)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits of each frame; frame t covers input pixels 4 t .. 4 t + 3."""
        x = 1.0 - pixels.to(self.project.weight.dtype) * (1.0 / 127.5)  # ink is positive
        y = self.features(x)
        y = y.permute(0, 3, 1, 2).flatten(2)  # (N, T, C * rows)
        y = self.dropout(torch.relu(self.project(y)))
        mixed = self.mixer(y)
        if isinstance(mixed, tuple):
            mixed = mixed[0]
        logits: Tensor = self.head(mixed)
        return logits


def count_parameters(model: nn.Module) -> int:
    """Number of weights."""
    return sum(p.numel() for p in model.parameters())
