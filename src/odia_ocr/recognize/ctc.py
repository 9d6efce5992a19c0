"""The compact CTC recognizer, run by ONNX Runtime.

Alphabet, input geometry and calibration come from the model file's metadata, so a model and the
program that runs it cannot drift apart. Every line is padded to its own bucket's width whatever
lines it is read with, so many lines give exactly what single lines give. A float model reads
width-bucketed batches; an int8 model, whose scales are found anew for each input, reads lines one
by one on several threads, which was measured to be as fast.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from odia_ocr.errors import ModelMissingError
from odia_ocr.language.ngram import open_ngram_model
from odia_ocr.recognize.decode.beam import BeamDecoder
from odia_ocr.recognize.decode.fusion import Fusion
from odia_ocr.recognize.decode.greedy import GreedyDecoder
from odia_ocr.recognize.line_tensor import (
    PREPROCESSING,
    Geometry,
    line_to_pixels,
    pad_width,
    stack_lines,
)
from odia_ocr.runtime import count_threads, find_weights, open_session, read_metadata
from odia_ocr.types import Candidates, Decoder, Emission, Hypothesis, LineImage, Problem

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

# Pixels of one batch: enough lines to use the cores, little enough to stay in the caches.
_BATCH_PIXELS = 48 * 4096
_SINGLE_BUCKET = 16  # lines that go through alone need not share widths


@dataclass(frozen=True, slots=True, eq=False)
class CtcRecognizer:
    """A CTC model with a decoder.

    Attributes:
        name: E.g. "ctc-v1".
        alphabet: Symbols of classes 1 ..
        geometry: Input geometry the model was trained with.
        calibration: Values of its confidence fit, see `odia_ocr.correct.calibrate`.
        session: The open model.
        threads: Lines read side by side by an int8 model.
        batched: Lines of one bucket go through the model together.
        decoder: Emission -> hypotheses.
    """

    name: str
    alphabet: tuple[str, ...]
    geometry: Geometry
    calibration: dict[str, Any]
    session: InferenceSession
    decoder: Decoder
    threads: int = 1
    batched: bool = True

    def emit(self, lines: Sequence[LineImage]) -> list[Emission]:
        """Emissions of all lines, in order, without padding frames."""
        shaped = [line_to_pixels(line.pixels, self.geometry) for line in lines]
        groups: dict[int, list[int]] = {}
        for i, pixels in enumerate(shaped):
            groups.setdefault(pad_width(pixels.shape[1], self.geometry), []).append(i)
        parts: list[tuple[int, list[int]]] = []
        for width, members in sorted(groups.items()):
            size = max(1, _BATCH_PIXELS // (self.geometry.height * width)) if self.batched else 1
            parts += [(width, members[at : at + size]) for at in range(0, len(members), size)]

        def run(part: tuple[int, list[int]]) -> np.ndarray:
            batch = stack_lines([shaped[i] for i in part[1]], part[0])
            (log_probs,) = self.session.run(None, {"pixels": batch})
            return np.asarray(log_probs)

        if self.batched or self.threads == 1 or len(parts) == 1:
            results = [run(part) for part in parts]
        else:
            with ThreadPoolExecutor(self.threads) as pool:
                results = list(pool.map(run, parts))
        emissions: dict[int, Emission] = {}
        for (_, members), log_probs in zip(parts, results, strict=True):
            for i, rows in zip(members, log_probs, strict=True):
                emissions[i] = self._cut(lines[i], shaped[i].shape[1], rows)
        return [emissions[i] for i in range(len(lines))]

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


def read_calibration(session: InferenceSession, decoder: str) -> dict[str, Any]:
    """The confidence fit that a model file holds for a way of decoding; empty without one.

    Args:
        session: The open model.
        decoder: "beam" with the language model, "path" for best-path decoding, "joint" for
            readings of several views.
    """
    fits: dict[str, Any] = json.loads(read_metadata(session).get("calibration", "{}"))
    found = fits.get(decoder, {})
    return found if isinstance(found, dict) else {}


def load_fast(model: str | None = None, *, threads: int | None = None) -> CtcRecognizer:
    """Like `load`, with best-path decoding and no language model.

    Raises:
        ModelMissingError: As `load`.
    """
    recognizer = load(model, threads=threads)
    return replace(
        recognizer,
        calibration=read_calibration(recognizer.session, "path"),
        decoder=GreedyDecoder(source=f"{recognizer.name}/greedy"),
    )


def load(model: str | None = None, *, threads: int | None = None) -> CtcRecognizer:
    """Open the shipped model, or an ONNX file; the shipped language model takes part in decoding.

    Raises:
        ModelMissingError: If the file is missing or was not written by `odia-ocr train ctc`.
    """
    path = Path(model) if model else find_weights("ctc")
    # The shipped int8 model reads each line on one thread: it is opened once.
    session = open_session(path, threads=1)
    meta = read_metadata(session)
    batched = meta.get("precision", "float32") != "int8"
    if batched and count_threads(threads) > 1:
        session = open_session(path, threads=threads)
    try:
        alphabet = tuple(json.loads(meta["alphabet"]))
        geometry = Geometry(**json.loads(meta["geometry"]))
        if not batched:
            geometry = replace(geometry, bucket=_SINGLE_BUCKET)
        version = meta["version"]
        preprocessing = meta["preprocessing"]
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
    lm = open_ngram_model(find_weights("lm-odia", ".ngram"))
    return CtcRecognizer(
        name=f"ctc-{version}",
        alphabet=alphabet,
        geometry=geometry,
        calibration=read_calibration(session, "beam"),
        session=session,
        decoder=BeamDecoder(lm, Fusion.of(lm), nbest=1, source=f"ctc-{version}/beam"),
        threads=count_threads(threads),
        batched=batched,
    )
