"""Readings of unlabelled lines as labels: what was read, how sure that is, and which are taken.

Several models read each line together (`odia_ocr.recognize.joint`), or a teacher such as a
vision-language model reads it and they say how far they agree. A reading becomes a label when
it is sure enough and the models' own readings agree with it. Sure lines are the short ones with
common letters, so what is taken is weighted until it has the lengths and the clusters of the pool.
Refuses to know true texts, but for `rate_precision`, which is handed them.

Sources: Lee 2013, "Pseudo-label"; Kim and Rush 2016, "Sequence-level knowledge distillation"
(arXiv 1606.07947: rivals of a reading as soft labels).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from odia_ocr.correct.calibrate import Calibration, load_for
from odia_ocr.data.sets.check import judge_text
from odia_ocr.data.sets.out_files import told_as_output, write_bytes
from odia_ocr.data.sets.sample import Sample
from odia_ocr.errors import ConfigError, DataError, InputError
from odia_ocr.evaluate.scores import Score, count_line, score_lines
from odia_ocr.language import ALPHABET, distance, fold, normalise, split_clusters
from odia_ocr.line_reading import LineReader
from odia_ocr.recognize import open_recognizer
from odia_ocr.recognize.decode.greedy import GreedyDecoder
from odia_ocr.recognize.joint import JointRecognizer
from odia_ocr.recognize.joint import load as load_joint
from odia_ocr.types import Candidates, Corrector, Emission, LineImage, Problem

THRESHOLDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)
_BATCH = 32
_LENGTHS = 4  # groups of lines by their length
_MOST = 3.0  # how much more, or less, a line counts for the balance
_LEAST_RIVAL = 0.02  # share below which a rival is left out


@dataclass(frozen=True, slots=True)
class PseudoReading:
    """What models make of a line together.

    Attributes:
        id: Of the line in its pool.
        text: The reading, normalised.
        confidence: Calibrated P(right) of a cluster, the mean over the line, 0..1; 0 if empty.
        sure: Calibrated P(the whole line is right), 0..1, or None.
        agreement: Share of clusters in which each model's own reading is the same, their mean.
        rivals: Other readings of the line with their posterior, 0..1; what they leave is `text`'s.
    """

    id: str
    text: str
    confidence: float
    sure: float | None
    agreement: float
    rivals: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """Which readings are taken.

    Attributes:
        confidence: Least confidence, 0..1.
        agreement: Least agreement, 0..1.
        soft: Learn rivals too, each as often as its posterior says.
        balance: Weight lines so that lengths and clusters are those of the pool.
    """

    confidence: float = 0.9
    agreement: float = 0.9
    soft: bool = False
    balance: bool = True

    def __post_init__(self) -> None:
        for name in ("confidence", "agreement"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} must lie in 0..1, got {getattr(self, name)}.")

    def takes(self, reading: PseudoReading) -> bool:
        """Whether it is sure, agreed on, and could be a label at all."""
        return (
            reading.confidence >= self.confidence
            and reading.agreement >= self.agreement
            and judge_text(reading.text) is None
        )


@dataclass(frozen=True, slots=True)
class PseudoLabel:
    """A reading that was taken.

    Attributes:
        reading: It.
        weight: How often its line is learned from; 1 on average.
        rivals: Those that are learned, too.
    """

    reading: PseudoReading
    weight: float
    rivals: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class PseudoReader:
    """Reads unlabelled lines.

    Attributes:
        joint: The models together.
        calibration: Of the readings.
        teacher: Reads instead; the models then say on their own how far they agree with it.
    """

    joint: JointRecognizer
    calibration: Corrector
    teacher: LineReader | None = None

    def read(self, lines: Sequence[LineImage]) -> list[PseudoReading | Problem]:
        """The readings of line pictures, in order; a Problem where the teacher cannot read one."""
        emissions = list(zip(*(view.emit(lines) for view in self.joint.views), strict=True))
        if self.teacher is None:
            found: list[Candidates | Problem] = [self.joint.join(each) for each in emissions]
        else:
            found = self.teacher.recognize(lines)
        return [
            one if isinstance(one, Problem) else self._describe(one, [_read_path(e) for e in each])
            for one, each in zip(found, emissions, strict=True)
        ]

    def _describe(self, found: Candidates, alone: Sequence[str]) -> PseudoReading:
        reading = self.calibration(found)
        shown = reading.cluster_confidence
        rivals: dict[str, float] = {}
        for hyp in found.hypotheses[1:]:
            text = normalise(hyp.text)
            if text != reading.text and _is_label(text):
                rivals[text] = rivals.get(text, 0.0) + (hyp.posterior or 0.0)
        return PseudoReading(
            id=str(found.line_id),
            text=reading.text,
            confidence=round(sum(shown) / len(shown), 5) if shown else 0.0,
            sure=None if reading.confidence is None else round(reading.confidence, 5),
            agreement=round(sum(_agree(reading.text, text) for text in alone) / len(alone), 5),
            rivals=tuple((t, round(p, 4)) for t, p in rivals.items() if p >= _LEAST_RIVAL),
        )


def _read_path(emission: Emission) -> str:
    return GreedyDecoder()(emission)[0].text


def _agree(text: str, other: str) -> float:
    one, two = (split_clusters(fold(normalise(each))) for each in (text, other))
    return 1 - distance(one, two) / max(1, len(one), len(two))


def _is_label(text: str) -> bool:
    return bool(text) and all(char in ALPHABET for char in text)


def open_pseudo(engine: str = "ctc", *, threads: int | None = None) -> PseudoReader:
    """The shipped models, a model of one's own in wider and narrower views, or a teacher.

    Args:
        engine: "ctc", "ctc:FILE.onnx", or any engine of `odia_ocr.recognize.ENGINES`: it reads
            alone, and the shipped models say how far they agree.
        threads: To compute with; None takes all cores this process may use.

    Raises:
        OdiaOcrError: As `odia_ocr.recognize.open_recognizer`.
    """
    kind, _, model = engine.partition(":")
    if kind in ("ctc", "ctc-best"):
        joint = load_joint(model or None, threads=threads)
        fits = joint.calibration or joint.views[0].model.calibration
        return PseudoReader(joint, Calibration.of(fits))
    recognizer = open_recognizer(engine, threads=threads)
    corrector = load_for(recognizer)
    joint = load_joint(threads=threads)
    return PseudoReader(joint, corrector, LineReader(recognizer, corrector))


def read_unlabelled(
    lines: Sequence[Sample],
    read: Callable[[Sequence[LineImage]], Sequence[PseudoReading | Problem]],
    path: Path,
    *,
    progress: Callable[[int], None] = lambda done: None,
) -> list[PseudoReading | Problem]:
    """Read lines that nobody labelled; what was read is kept in `path` and not read again.

    Args:
        lines: Of a pool, without texts.
        read: Reads pictures, e.g. `PseudoReader.read`.
        path: JSON lines; a killed reading goes on behind its last whole line.
        progress: Receives how many lines are done since the last call.

    Returns:
        One entry a line; a Problem where the picture cannot be read.

    Raises:
        DataError: If `path` is about other lines.
        OutputError: If it cannot be written.
    """
    found, size = _read_known(path)
    if list(map(_name, found)) != [line.id for line in lines[: len(found)]]:
        raise DataError(
            f"{path} holds readings of other lines.", next_step="Choose another folder."
        )
    progress(len(found))
    with told_as_output(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.truncate(size)  # what a killed reading wrote in part
    for start in range(len(found), len(lines), _BATCH):
        part = lines[start : start + _BATCH]
        images, told = _open_pictures(part)
        for image, item in zip(images, read(images) if images else (), strict=True):
            named = replace(item, line_id=image.id) if isinstance(item, Problem) else item
            told[image.id] = named
        items = [told[line.id] for line in part]
        write_bytes(path, "".join(map(_to_row, items)).encode(), append=True)
        found += items
        progress(len(part))
    return found


def _open_pictures(
    part: Sequence[Sample],
) -> tuple[list[LineImage], dict[str, PseudoReading | Problem]]:
    images: list[LineImage] = []
    broken: dict[str, PseudoReading | Problem] = {}
    for line in part:
        try:
            images.append(LineImage(line.id, line.picture.load()))
        except InputError as error:
            broken[line.id] = Problem(error.code, error.message, error.next_step, line_id=line.id)
    return images, broken


def _name(item: PseudoReading | Problem) -> str | None:
    return item.line_id if isinstance(item, Problem) else item.id


def _to_row(item: PseudoReading | Problem) -> str:
    kind = "problem" if isinstance(item, Problem) else "reading"
    return json.dumps({kind: asdict(item)}, ensure_ascii=False) + "\n"


def _read_known(path: Path) -> tuple[list[PseudoReading | Problem], int]:
    """What a file of readings holds up to the first row that is not whole, and its bytes."""
    found: list[PseudoReading | Problem] = []
    size = 0
    for row in path.read_bytes().splitlines(keepends=True) if path.exists() else ():
        try:
            values = json.loads(row)
            if not row.endswith(b"\n"):
                break
            if "problem" in values:
                found.append(Problem(**values["problem"]))
            else:
                rivals = tuple((t, float(p)) for t, p in values["reading"].pop("rivals"))
                found.append(PseudoReading(**values["reading"], rivals=rivals))
        except (ValueError, KeyError, TypeError):
            break
        size += len(row)
    return found, size


def choose_labels(readings: Sequence[PseudoReading], rule: Rule) -> list[PseudoLabel]:
    """The readings that become labels, weighted so that they stand for all of `readings`."""
    taken = [reading for reading in readings if rule.takes(reading)]
    weights = _balance(readings, taken) if rule.balance and taken else np.ones(len(taken))
    return [
        PseudoLabel(reading, round(float(weight), 4), reading.rivals if rule.soft else ())
        for reading, weight in zip(taken, weights, strict=True)
    ]


def _balance(every: Sequence[PseudoReading], taken: Sequence[PseudoReading]) -> np.ndarray:
    """A weight for each reading taken (n,), with the mean 1: rarer lengths and clusters count."""
    sizes = [len(reading.text) for reading in every]
    bounds = np.quantile(sizes, np.arange(1, _LENGTHS) / _LENGTHS)

    def group(readings: Iterable[PseudoReading]) -> list[int]:
        return [int(np.searchsorted(bounds, len(reading.text))) for reading in readings]

    def letters(readings: Iterable[PseudoReading]) -> list[str]:
        return [cluster for reading in readings for cluster in split_clusters(reading.text)]

    lengths = _ratios(group(every), group(taken))
    clusters = _ratios(letters(every), letters(taken))
    weights = np.array(
        [
            lengths[place] * np.mean([clusters[c] for c in split_clusters(reading.text)])
            for place, reading in zip(group(taken), taken, strict=True)
        ]
    )
    weights = np.clip(weights, 1 / _MOST, _MOST)
    return np.asarray(weights / weights.mean())


def _ratios(every: Sequence[Any], taken: Sequence[Any]) -> dict[Any, float]:
    """How much larger the share of each kind is among all than among those taken."""
    whole, part = Counter(every), Counter(taken)
    return {
        kind: min(_MOST, max(1 / _MOST, whole[kind] / len(every) / (count / len(taken))))
        for kind, count in part.items()
    }


@dataclass(frozen=True, slots=True)
class Precision:
    """How right the readings are that a threshold lets through.

    Attributes:
        threshold: Least confidence.
        lines: Readings taken.
        share: Of all lines whose truth is known.
        exact: Share of the readings taken that are right as a whole.
        cer: Of the readings taken, against the truth; None without any.
    """

    threshold: float
    lines: int
    share: float
    exact: float
    cer: Score | None


def rate_precision(
    readings: Sequence[PseudoReading],
    truth: Mapping[str, str],
    rule: Rule,
    thresholds: Sequence[float] = THRESHOLDS,
) -> list[Precision]:
    """How right the labels are at each threshold, where the truth is known.

    Args:
        readings: Of lines.
        truth: True texts by id; readings of other lines are left out.
        rule: For its agreement.
        thresholds: Of confidence.
    """
    known = [reading for reading in readings if reading.id in truth]
    rows = []
    for threshold in thresholds:
        at = Rule(threshold, rule.agreement)
        counts = [count_line(truth[r.id], r.text) for r in known if at.takes(r)]
        rows.append(
            Precision(
                threshold,
                len(counts),
                len(counts) / max(1, len(known)),
                sum(count.exact for count in counts) / max(1, len(counts)),
                score_lines(counts).cer if counts else None,
            )
        )
    return rows
