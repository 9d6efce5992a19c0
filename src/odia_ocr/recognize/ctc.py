"""The compact CTC recognizer, run by ONNX Runtime in width-bucketed batches.

Alphabet, input geometry and calibration come from the model file's metadata, so a model and the
program that runs it cannot drift apart. Every line is padded to its own bucket's width whatever
lines it is read with, so a batch gives exactly what single lines give.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from odia_ocr.errors import ModelMissingError
from odia_ocr.recognize.decode.greedy import GreedyDecoder
from odia_ocr.recognize.line_tensor import (
    PREPROCESSING,
    Geometry,
    line_to_pixels,
    pad_width,
    stack_lines,
)
from odia_ocr.runtime import find_weights, open_session, read_metadata
from odia_ocr.types import Candidates, Decoder, Emission, Hypothesis, LineImage, Problem

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

# Pixels of one batch: enough lines to use the cores, little enough to stay in the caches.
_BATCH_PIXELS = 48 * 4096


@dataclass(frozen=True, slots=True, eq=False)
class CtcRecognizer:
    """A CTC model with a decoder.

    Attributes:
        name: E.g. "ctc-v1".
        alphabet: Symbols of classes 1 ..
        geometry: Input geometry the model was trained with.
        calibration: Values of its confidence fit, see `odia_ocr.correct.calibrate`.
        session: The open model.
        decoder: Emission -> hypotheses.
    """

    name: str
    alphabet: tuple[str, ...]
    geometry: Geometry
    calibration: dict[str, Any]
    session: InferenceSession
    decoder: Decoder

    def emit(self, lines: Sequence[LineImage]) -> list[Emission]:
        """Emissions of all lines, in order, without padding frames."""
        shaped = [line_to_pixels(line.pixels, self.geometry) for line in lines]
        groups: dict[int, list[int]] = {}
        for i, pixels in enumerate(shaped):
            groups.setdefault(pad_width(pixels.shape[1], self.geometry), []).append(i)
        emissions: list[Emission | None] = [None] * len(lines)
        for width, members in sorted(groups.items()):
            size = max(1, _BATCH_PIXELS // (self.geometry.height * width))
            for at in range(0, len(members), size):
                part = members[at : at + size]
                batch = stack_lines([shaped[i] for i in part], width)
                (log_probs,) = self.session.run(None, {"pixels": batch})
                for i, rows in zip(part, log_probs, strict=True):
                    emissions[i] = self._cut(lines[i], shaped[i].shape[1], np.asarray(rows))
        return [emission for emission in emissions if emission is not None]

    def _cut(self, line: LineImage, width: int, log_probs: np.ndarray) -> Emission:
        frames = max(1, -(-width // self.geometry.stride))
        return Emission(
            line_id=line.id,
            log_probs=log_probs[:frames].astype(np.float32),
            alphabet=self.alphabet,
            px_per_frame=self.geometry.stride * line.pixels.shape[1] / width,
        )

    def read(self, lines: Sequence[LineImage]) -> list[Candidates | Problem]:
        """Read all lines; see `odia_ocr.types.Recognizer`."""
        return [
            Candidates(emission.line_id, self.decoder(emission) or (Hypothesis((), 0.0),))
            for emission in self.emit(lines)
        ]


def load(model: str | None = None, *, threads: int | None = None) -> CtcRecognizer:
    """Open the shipped model, or an ONNX file.

    Raises:
        ModelMissingError: If the file is missing or was not written by `odia-ocr train ctc`.
    """
    path = Path(model) if model else find_weights("ctc")
    session = open_session(path, threads=threads)
    meta = read_metadata(session)
    try:
        alphabet = tuple(json.loads(meta["alphabet"]))
        geometry = Geometry(**json.loads(meta["geometry"]))
        version = meta["version"]
        preprocessing = meta["preprocessing"]
        calibration = json.loads(meta.get("calibration", "{}"))
    except (KeyError, ValueError, TypeError) as error:
        raise ModelMissingError(
            f"{path} holds no odia-ocr metadata ({error}).",
            next_step="Name an .onnx file that `odia-ocr train ctc` exported.",
        ) from error
    if preprocessing != PREPROCESSING:
        raise ModelMissingError(
            f"{path} expects preprocessing {preprocessing!r}, this program has {PREPROCESSING!r}.",
            next_step="Use the program's own model, or export the model again.",
        )
    return CtcRecognizer(
        name=f"ctc-{version}",
        alphabet=alphabet,
        geometry=geometry,
        calibration=calibration,
        session=session,
        decoder=GreedyDecoder(source=f"ctc-{version}/greedy"),
    )
