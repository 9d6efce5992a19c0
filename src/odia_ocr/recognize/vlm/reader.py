"""A vision-language model as a recognizer: lines of pictures in, Candidates out."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from odia_ocr.errors import ModelMissingError, OdiaOcrError
from odia_ocr.recognize.vlm.adapters import find_file
from odia_ocr.recognize.vlm.alphabet_guard import find_loop
from odia_ocr.recognize.vlm.decoding import VlmDecoding
from odia_ocr.recognize.vlm.inputs import EncodedSample, VlmEncoder
from odia_ocr.recognize.vlm.naming import VlmName, find_base
from odia_ocr.recognize.vlm.opening import OpenVlm, open_vlm
from odia_ocr.recognize.vlm.symbols import make_symbols
from odia_ocr.recognize.vlm.writing import Seen, Writer, Written
from odia_ocr.types import Candidates, Hypothesis, LineImage, Problem

DETERMINISTIC = VlmDecoding()
CONFIDENCE = "confidence.json"
_BATCH = 16
_MOST_SCORES = 1 << 29  # numbers of a batch's log-probabilities: two gigabytes
_LEAST_CONTRAST = 12  # grey levels between the darkest and the lightest of a line with writing


class Speaker(Protocol):
    """How the adapters of a model speak: one of them, or several as one."""

    def look(self, samples: Sequence[EncodedSample]) -> Seen:
        """Look at the pictures of samples that end where the answer begins."""
        ...

    @property
    def writer(self) -> Writer:
        """Of the open model."""
        ...

    def write(self, seen: Seen, decoding: VlmDecoding, most: int) -> tuple[Tensor, Tensor]:
        """Token ids (B * readings, T) and the log-probabilities (B * readings, T, vocabulary)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class SingleSpeaker:
    """The bare model, or one adapter of it.

    Attributes:
        writer: Of the open model.
        adapter: Name of the adapter; "" for the bare model.
    """

    writer: Writer
    adapter: str = ""

    def look(self, samples: Sequence[EncodedSample]) -> Seen:
        """See `Speaker`."""
        with self.writer.vlm.speaking(self.adapter):
            return self.writer.see(samples)

    def write(self, seen: Seen, decoding: VlmDecoding, most: int) -> tuple[Tensor, Tensor]:
        """See `Speaker`."""
        with self.writer.vlm.speaking(self.adapter):
            return self.writer.write_scored(seen, decoding, most=most)


@dataclass(frozen=True, slots=True, eq=False)
class VlmRecognizer:
    """Reads lines with a vision-language model; see `odia_ocr.types.Recognizer`.

    Attributes:
        name: E.g. "vlm-tiny" or "vlm-base+checkpoint-250".
        vlm: The open model.
        speaker: Which of its adapters speak, and how they agree.
        decoding: How it writes.
        batch: Lines looked at together.
        calibration: Values of its confidence fit; empty without one.
    """

    name: str
    vlm: OpenVlm
    speaker: Speaker
    decoding: VlmDecoding = DETERMINISTIC
    batch: int = _BATCH
    calibration: dict[str, Any] = field(default_factory=dict)

    def with_decoding(self, decoding: VlmDecoding) -> VlmRecognizer:
        """The same model, writing in another way."""
        return replace(self, decoding=decoding)

    def read(self, lines: Sequence[LineImage]) -> list[Candidates | Problem]:
        """Read all lines; a line that cannot be read becomes a Problem."""
        results: dict[int, Candidates | Problem] = {}
        samples: list[tuple[int, EncodedSample]] = []
        for i, line in enumerate(lines):
            if np.ptp(line.pixels) < _LEAST_CONTRAST:
                results[i] = Candidates(line.id, (Hypothesis((), 0.0, source=self._source),))
                continue
            try:
                picture = Image.fromarray(line.pixels)
                samples.append((i, self.vlm.encoder.encode(line.id, picture, None)))
            except OdiaOcrError as error:
                results[i] = Problem(error.code, error.message, error.next_step, line_id=line.id)
        samples.sort(key=lambda item: len(item[1].tokens))
        for part in self._group(samples):
            read = self.write_texts([sample for _, sample in part])
            results.update(
                (i, found if isinstance(found, Problem) else self._collect(sample, found))
                for (i, sample), found in zip(part, read, strict=True)
            )
        return [results[i] for i in range(len(lines))]

    def _group(
        self, samples: list[tuple[int, EncodedSample]]
    ) -> Iterator[list[tuple[int, EncodedSample]]]:
        """Batches; fewer lines where the probabilities of all tokens would fill the memory."""
        words = len(self.vlm.encoder.tokenizer) * max(1, self.decoding.samples, self.decoding.nbest)
        part: list[tuple[int, EncodedSample]] = []
        longest = 0
        for item in samples:
            longest = max(longest, self.decoding.most or _guess_most(item[1]))
            full = (len(part) + 1) * longest * words > _MOST_SCORES
            if part and (full or len(part) == self.batch):
                yield part
                part, longest = [], self.decoding.most or _guess_most(item[1])
            part.append(item)
        if part:
            yield part

    @property
    def _source(self) -> str:
        return f"{self.name}/{self.decoding.name}"

    def write_texts(self, samples: list[EncodedSample]) -> list[list[Written] | Problem]:
        """What is written of each sample, likeliest first; of one that fails a Problem."""
        try:
            return self._write_together(samples)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
        if len(samples) > 1:
            half = len(samples) // 2
            return self.write_texts(samples[:half]) + self.write_texts(samples[half:])
        return [
            Problem(
                "memory",
                f"No memory left on {self.vlm.device} for this picture.",
                "Lower max_pixels, or use --load-in 4bit or --dtype bfloat16.",
                line_id=samples[0].id,
            )
        ]

    def _write_together(self, samples: list[EncodedSample]) -> list[list[Written] | Problem]:
        texts = self._write(samples, self.decoding)
        looped = [i for i, found in enumerate(texts) if _runs_on(found[0])]
        for attempt, temperature in enumerate(self.decoding.retries):
            if not looped:
                break
            again = replace(
                self.decoding,
                samples=1,
                nbest=1,
                temperature=temperature,
                seed=self.decoding.seed + attempt,
            )
            found = self._write([samples[i] for i in looped], again)
            for i, other in zip(looped, found, strict=True):
                if not _runs_on(other[0]):
                    texts[i] = other
            looped = [i for i in looped if _runs_on(texts[i][0])]
        return [
            self._refuse(sample) if i in looped else texts[i] for i, sample in enumerate(samples)
        ]

    def _write(self, samples: list[EncodedSample], decoding: VlmDecoding) -> list[list[Written]]:
        """Readings of each sample, likeliest first."""
        seen = self.speaker.look(samples)
        limits = [decoding.most or _guess_most(sample) for sample in samples]
        ways = [decoding]
        if decoding.samples > 1:  # the likeliest text is one of the readings
            ways = [
                replace(decoding, samples=0, nbest=1),
                replace(decoding, samples=decoding.samples - 1),
            ]
        found: list[list[Written]] = [[] for _ in samples]
        for way in ways:
            tokens, scores = self.speaker.write(seen, way, max(limits))
            each = len(tokens) // len(samples)
            for row, written in enumerate(self.speaker.writer.collect(tokens, scores)):
                # Lines of a batch share the longest limit; each keeps to its own.
                found[row // each].append(written.cut(limits[row // each]))
        return [_rank(texts) for texts in found]

    def _collect(self, sample: EncodedSample, texts: list[Written]) -> Candidates:
        """Distinct readings; posteriors are shares of their probabilities."""
        hyps: dict[str, Hypothesis] = {}
        for written in texts:
            symbols = make_symbols(written.tokens)
            hyp = Hypothesis(symbols, written.logp, source=self._source)
            if hyp.text not in hyps:
                hyps[hyp.text] = hyp
        found = list(hyps.values())
        if len(found) > 1:
            best = max(hyp.optical_logp for hyp in found)
            shares = [math.exp(hyp.optical_logp - best) for hyp in found]
            found = [
                replace(hyp, posterior=share / sum(shares))
                for hyp, share in zip(found, shares, strict=True)
            ]
        return Candidates(sample.id, tuple(found))

    def _refuse(self, sample: EncodedSample) -> Problem:
        return Problem(
            "loop",
            "The model came to no end on this line: it repeats itself, or wrote all that it may.",
            "Read it with another engine, or with beams.",
            line_id=sample.id,
        )


def _rank(texts: list[Written]) -> list[Written]:
    """Likeliest first; without those that run on, if any does not."""
    ended = [written for written in texts if not _runs_on(written)]
    return sorted(ended or texts, key=lambda written: -written.logp)


def _runs_on(written: Written) -> bool:
    """Whether a text came to no end, or would have repeated itself had it been let."""
    return not written.finished or find_loop([t.piece for t in written.tokens[:-1]]) > 0


def _guess_most(sample: EncodedSample) -> int:
    """Tokens that the writing of a picture cannot exceed: a line's height holds few letters."""
    _, rows, columns = sample.grid
    line = 2.5 * columns / rows * max(1, rows // 4) * 4
    page = 0.16 * rows * columns
    return int(24 + 4 * max(line, page))


def load(model: str | None, *, threads: int | None = None) -> VlmRecognizer:
    """Open a model, or one with adapters: one adapter reads, several read as one.

    Args:
        model: See `odia_ocr.recognize.vlm.naming`; None is the shipped small model.
        threads: Threads of torch.

    Raises:
        UsageError: If a name is empty, or holds unknown settings.
        ModelMissingError: If something is missing, damaged or does not fit.
        ResourceMissingError: If the device or a library is missing.
    """
    if threads:
        torch.set_num_threads(threads)
    name = VlmName.parse(model or "")
    vlm = open_vlm(name.base, name.adapters, placement=name.placement)
    encoder = vlm.encoder
    settings = name.change(encoder.settings)
    if settings != encoder.settings:
        vlm.encoder = VlmEncoder(encoder.tokenizer, encoder.image_processor, settings)
    writer = Writer(vlm)
    if len(vlm.adapters) > 1:
        from odia_ocr.recognize.vlm.ensemble import JointSpeaker

        speaker: Speaker = JointSpeaker(writer, vlm.adapters)
    else:
        speaker = SingleSpeaker(writer, *vlm.adapters)
    return VlmRecognizer(
        vlm.name,
        vlm,
        speaker,
        name.decoding,
        name.batch or _BATCH,
        _read_calibration(name.adapters or (str(find_base(name.base)),)),
    )


def _read_calibration(places: Sequence[str]) -> dict[str, Any]:
    """The confidence fit beside a model, or beside the only adapter; empty without one."""
    path = find_file(places[0], CONFIDENCE) if len(places) == 1 else None
    if path is None:
        return {}
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelMissingError(
            f"{path} is damaged: {error}.", next_step="Delete it, or fit it again."
        ) from error
    return values
