"""Emissions and Candidates as a few arrays, small enough to keep for every engine and setting.

Of each frame the likeliest classes are kept, in half precision; the others share one low value.
Readings go through this form whether they were kept or made just now, so that figures do not depend
on what the disk held.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from odia_ocr.types import Candidates, Emission, FloatArray, Hypothesis, Problem, Symbol

TOP = 16  # classes kept of each frame
_LOWEST = -30.0
Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]
Outcome = Candidates | Problem


@dataclass(frozen=True, slots=True, eq=False)
class PackedEmissions(Sequence[Emission]):
    """Emissions of all lines of a set; each is unpacked when it is asked for.

    Attributes:
        alphabet: Symbols of classes 1 ..
        ids: Of the lines, in order.
        ends: Frame after each line's last.
        widths: Pixels of the line picture per frame.
        classes: (frames, TOP) kept classes.
        values: (frames, TOP) their log-probabilities.
        low: (frames,) log-probability of every other class.
    """

    alphabet: tuple[str, ...]
    ids: tuple[str, ...]
    ends: Array
    widths: Array
    classes: Array
    values: Array
    low: Array

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, at: int) -> Emission: ...
    @overload
    def __getitem__(self, at: slice) -> list[Emission]: ...
    def __getitem__(self, at: int | slice) -> Emission | list[Emission]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        if not -len(self) <= at < len(self):
            raise IndexError(at)
        at %= len(self)
        part = slice(int(self.ends[at - 1]) if at else 0, int(self.ends[at]))
        low = self.low[part].astype(np.float32)
        log_probs: FloatArray = np.repeat(low[:, None], len(self.alphabet) + 1, axis=1)
        kept = self.values[part].astype(np.float32)
        np.put_along_axis(log_probs, self.classes[part].astype(np.int64), kept, axis=1)
        return Emission(self.ids[at], log_probs, self.alphabet, float(self.widths[at]))


def pack_emissions(emissions: Sequence[Emission]) -> dict[str, Array]:
    """Arrays of all lines one after the other; `unpack_emissions` reads them.

    Raises:
        ValueError: Without emissions.
    """
    if not emissions:
        raise ValueError("there are no emissions to pack")
    parts = [_shrink(emission.log_probs) for emission in emissions]
    return {
        "alphabet": _text(emissions[0].alphabet),
        "ids": _text([emission.line_id for emission in emissions]),
        "ends": np.cumsum([len(emission.log_probs) for emission in emissions]),
        "widths": np.array([emission.px_per_frame for emission in emissions]),
        "classes": np.concatenate([part[0] for part in parts]),
        "values": np.concatenate([part[1] for part in parts]),
        "low": np.concatenate([part[2] for part in parts]),
    }


def unpack_emissions(arrays: Arrays) -> PackedEmissions:
    """The emissions of `pack_emissions`."""
    return PackedEmissions(
        alphabet=tuple(_list(arrays["alphabet"])),
        ids=tuple(_list(arrays["ids"])),
        ends=arrays["ends"],
        widths=arrays["widths"],
        classes=arrays["classes"],
        values=arrays["values"],
        low=arrays["low"],
    )


def _shrink(log_probs: FloatArray) -> tuple[Array, Array, Array]:
    top = min(TOP, log_probs.shape[1])
    classes = np.argpartition(-log_probs, top - 1, axis=1)[:, :top]
    values = np.take_along_axis(log_probs, classes, axis=1)
    # What is not kept is spread evenly: its sum stays what it was.
    rest = 1.0 - np.exp(values.astype(np.float64)).sum(axis=1)
    share = np.maximum(rest, 0.0) / max(1, log_probs.shape[1] - top)
    low = np.minimum(np.log(np.maximum(share, np.exp(_LOWEST))), values.min(axis=1))
    values = np.maximum(values, _LOWEST)
    return classes.astype(np.uint16), values.astype(np.float16), low.astype(np.float16)


def pack_candidates(outcomes: Sequence[Outcome]) -> dict[str, Array]:
    """Arrays of all lines' candidates or problems; `unpack_candidates` reads them."""
    hyps = [hyp for out in outcomes if isinstance(out, Candidates) for hyp in out.hypotheses]
    symbols = [symbol for hyp in hyps for symbol in hyp.symbols]
    rivals = [rival for symbol in symbols for rival in symbol.alternatives]
    return {
        "lines": _text(
            [
                [out.line_id, len(out.hypotheses)]
                if isinstance(out, Candidates)
                else [out.line_id, 0, out.code, out.message, out.next_step]
                for out in outcomes
            ]
        ),
        "sources": _text([hyp.source for hyp in hyps]),
        "lengths": np.array([len(hyp.symbols) for hyp in hyps], np.int32),
        "scores": np.array(
            [
                [hyp.optical_logp, _number(hyp.lm_logp), _number(hyp.posterior), float(hyp.scored)]
                for hyp in hyps
            ]
        ).reshape(-1, 4),
        "texts": _text([symbol.text for symbol in symbols]),
        "places": np.array(
            [[symbol.logp, *(symbol.span or (np.nan, np.nan))] for symbol in symbols], np.float32
        ).reshape(-1, 3),
        "rivals": np.array([len(symbol.alternatives) for symbol in symbols], np.uint8),
        "rival_texts": _text([text for text, _ in rivals]),
        "rival_logps": np.array([logp for _, logp in rivals], np.float32),
    }


def unpack_candidates(arrays: Arrays) -> list[Outcome]:
    """The outcomes of `pack_candidates`."""
    rivals = zip(_list(arrays["rival_texts"]), arrays["rival_logps"].tolist(), strict=True)
    rows = zip(
        _list(arrays["texts"]), arrays["places"].tolist(), arrays["rivals"].tolist(), strict=True
    )
    symbols = (
        Symbol(
            text,
            min(0.0, logp),
            None if np.isnan(left) else (left, right),
            tuple((other, min(0.0, value)) for other, value in islice(rivals, count)),
        )
        for text, (logp, left, right), count in rows
    )
    hyps = _unpack_hypotheses(arrays, symbols)
    outcomes: list[Outcome] = []
    for line_id, count, *problem in _list(arrays["lines"]):
        if problem:
            code, message, next_step = problem
            outcomes.append(Problem(code, message, next_step, line_id=line_id))
        else:
            outcomes.append(Candidates(line_id, tuple(islice(hyps, count))))
    return outcomes


def _unpack_hypotheses(arrays: Arrays, symbols: Iterator[Symbol]) -> Iterator[Hypothesis]:
    rows = zip(
        _list(arrays["sources"]), arrays["lengths"].tolist(), arrays["scores"].tolist(), strict=True
    )
    for source, length, (optical, lm, posterior, scored) in rows:
        yield Hypothesis(
            tuple(islice(symbols, length)),
            min(0.0, optical),
            None if np.isnan(lm) else lm,
            None if np.isnan(posterior) else posterior,
            source,
            bool(scored),
        )


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _text(values: Sequence[Any]) -> Array:
    return np.frombuffer(json.dumps(list(values), ensure_ascii=False).encode(), np.uint8)


def _list(array: Array) -> list[Any]:
    values: list[Any] = json.loads(array.tobytes().decode())
    return values
