"""Whether a merged model says what model and adapter say, on a few rendered lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from odia_ocr.errors import ModelMissingError, name_extra
from odia_ocr.recognize.vlm.opening import OpenVlm, open_vlm

if TYPE_CHECKING:
    from odia_ocr.data.lines import RenderedLine

_LINES, _SEED = 3, 2026
# Largest difference of a logit beside the largest logit, by the kind the weights are stored in. The
# rounding of a weight, eps / 2, goes through every layer; a wrong merge is off by far more.
_TOLERANCES = {torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 6e-2}


@dataclass(frozen=True, slots=True)
class Agreement:
    """A merged model beside model and adapter.

    Attributes:
        difference: Largest difference of a logit.
        largest: Largest logit, without its sign.
        effect: Largest change of a logit by the adapter.
        tolerance: Largest difference allowed.
    """

    difference: float
    largest: float
    effect: float
    tolerance: float

    @property
    def holds(self) -> bool:
        """Whether they agree."""
        return self.difference <= self.tolerance

    @property
    def drowned(self) -> bool:
        """Whether rounding undid a good part of what the adapter does."""
        return self.effect > 0 and self.difference > 0.5 * self.effect


def draw_lines() -> tuple[RenderedLine, ...]:
    """Clean lines of held-out texts.

    Raises:
        ResourceMissingError: If what draws them is not installed.
    """
    try:
        from odia_ocr.data.lines import make_renderer
    except ImportError as error:
        raise name_extra(error, "render", doing="Drawing lines to check with") from error
    renderer = make_renderer(split="heldout", seed=_SEED, clean=True)
    return tuple(renderer.render(i) for i in range(_LINES))


def compare_merged(
    base: Path, adapter: Path, merged: Path, lines: Sequence[RenderedLine], *, dtype: torch.dtype
) -> Agreement:
    """Hold a merged model against model and adapter, all logits of all places.

    Args:
        base: Folder of the model.
        adapter: Folder of the adapter.
        merged: Folder of the merged model.
        lines: To read; their texts are given.
        dtype: That the merged weights are stored in.

    Raises:
        ModelMissingError: If one cannot be opened, or they differ by more than rounding.
    """
    vlm = open_vlm(str(base), (str(adapter),))
    batch = _encode(vlm, lines)
    wanted = _find_logits(vlm, batch)
    with vlm.model.disable_adapter():
        bare = _find_logits(vlm, batch)
    del vlm  # two models at once may be too much
    found = _find_logits(open_vlm(str(merged)), batch)
    largest = float(wanted.abs().max())
    agreement = Agreement(
        difference=float((found - wanted).abs().max()),
        largest=largest,
        effect=float((bare - wanted).abs().max()),
        tolerance=_TOLERANCES[dtype] * largest,
    )
    if not agreement.holds:
        raise ModelMissingError(
            f"The merged model does not agree with model and adapter: logits differ by up to "
            f"{agreement.difference:.3g}, allowed is {agreement.tolerance:.3g}.",
            next_step="Use the adapter unmerged: --adapter.",
        )
    return agreement


def _encode(vlm: OpenVlm, lines: Sequence[RenderedLine]) -> dict[str, Tensor]:
    from PIL import Image

    samples = [
        vlm.encoder.encode(f"line {i}", Image.fromarray(line.pixels), line.text)
        for i, line in enumerate(lines)
    ]
    return vlm.encoder.collate(samples)


@torch.inference_mode()
def _find_logits(vlm: OpenVlm, batch: dict[str, Tensor]) -> Tensor:
    """Logits (places that are no padding, vocabulary), float32, on the CPU."""
    given: dict[str, Any] = {
        key: value.to(vlm.device) for key, value in batch.items() if key != "labels"
    }
    logits: Tensor = vlm.model(**given, use_cache=False).logits
    return logits[given["attention_mask"] == 1].float().cpu()
