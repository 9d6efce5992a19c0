"""Fits confidence on held-out rendered lines, and writes the fits into the model file.

The lines are of the split "check": damaged and clean running text as the reporting sets have it,
the harder lines of training, lines of all kinds, Latin words and numbers, and a tenth that is not
Odia at all, which no reading gets right.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from odia_ocr.correct.calibrate import describe_clusters, describe_line
from odia_ocr.data.compose import Mix
from odia_ocr.data.lines import LineRenderer, make_renderer
from odia_ocr.data.recipe import CLEAN, TRAINING
from odia_ocr.data.reporting import SETS
from odia_ocr.data.strangers import draw_stranger
from odia_ocr.evaluate.reliability import find_threshold
from odia_ocr.language import fold, normalise, split_clusters
from odia_ocr.language.distance import find_kept
from odia_ocr.types import Candidates, Hypothesis, LineImage, Recognizer

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

NOT_ODIA = "\ue000"  # the truth of a line that no reading gets right
REVIEW = 0.98  # share of accepted lines that are to be right
_STRANGER = "stranger"
# Of ten lines.
_ORDER = (
    "degraded",
    "training",
    "clean",
    "degraded",
    "mixed",
    "latin",
    "mixed-clean",
    "training",
    "degraded",
    _STRANGER,
)
_PORTION = 64
_RIDGE = 1e-2


@dataclass(frozen=True, slots=True)
class FittingReading:
    """What was read of a fitting line, and its true text."""

    hyp: Hypothesis
    truth: str

    @property
    def right(self) -> bool:
        """Whether the whole line is right, as it is scored."""
        return fold(normalise(self.hyp.text)) == fold(self.truth)


@dataclass(frozen=True, slots=True)
class Fit:
    """A confidence fit and its quality.

    Attributes:
        line: Logistic weights of `correct.calibrate.LINE_FEATURES`.
        cluster: Of `CLUSTER_FEATURES`.
        review: See `Calibration.review`.
        lines: Lines it was fitted on.
        brier: Mean squared error of line confidence on the fitting lines, lower is better.
    """

    line: tuple[float, ...]
    cluster: tuple[float, ...]
    review: float | None
    lines: int
    brier: float


def read_fitting_lines(
    recognizer: Recognizer, *, count: int, seed: int = 410_000
) -> list[FittingReading]:
    """Read rendered check lines; those that come out empty are left out."""
    renderers = _make_renderers(seed)
    readings: list[FittingReading] = []
    for start in range(0, count, _PORTION):
        drawn = [_draw(renderers, seed, i) for i in range(start, min(count, start + _PORTION))]
        results = recognizer.read([image for image, _ in drawn])
        for result, (_, truth) in zip(results, drawn, strict=True):
            if isinstance(result, Candidates) and result.best.symbols:
                readings.append(FittingReading(result.best, truth))
    return readings


def _make_renderers(seed: int) -> dict[str, LineRenderer]:
    running, all_kinds = SETS["clean"].mix, Mix(max_words=8)
    kinds = {name: (SETS[name].recipe, SETS[name].mix) for name in ("degraded", "clean", "latin")}
    kinds["training"] = (TRAINING, running)
    kinds["mixed"] = (TRAINING, all_kinds)
    kinds["mixed-clean"] = (CLEAN, all_kinds)
    return {
        name: make_renderer(split="check", seed=seed + i, recipe=recipe, mix=mix)
        for i, (name, (recipe, mix)) in enumerate(kinds.items())
    }


def _draw(renderers: dict[str, LineRenderer], seed: int, index: int) -> tuple[LineImage, str]:
    """Fitting line number `index` and its true text."""
    kind = _ORDER[index % len(_ORDER)]
    if kind == _STRANGER:
        stranger = draw_stranger(np.random.default_rng([seed, index]))
        return LineImage(str(index), stranger), NOT_ODIA
    line = renderers[kind].render(index)
    return LineImage(str(index), line.pixels), line.text


def fit_confidence(recognizer: Recognizer, *, count: int = 3000) -> Fit:
    """Fit line and cluster confidence of a recognizer."""
    return fit_readings(read_fitting_lines(recognizer, count=count))


def fit_readings(readings: Sequence[FittingReading]) -> Fit:
    """Fit line and cluster confidence to readings whose truth is known."""
    x = np.array([describe_line(reading.hyp) for reading in readings])
    y = np.array([reading.right for reading in readings], np.float64)
    line = fit_logistic(x, y)
    stated = _predict(x, line)
    clusters = [row for reading in readings for row in _describe_clusters(reading)]
    cluster = fit_logistic(
        np.array([row.values for row in clusters]),
        np.array([row.right for row in clusters], np.float64),
    )
    return Fit(
        line=tuple(round(float(w), 6) for w in line),
        cluster=tuple(round(float(w), 6) for w in cluster),
        review=find_threshold(stated, y > 0.5, REVIEW),
        lines=len(readings),
        brier=round(float(np.mean((stated - y) ** 2)), 5),
    )


@dataclass(frozen=True, slots=True)
class _ClusterRow:
    values: tuple[float, ...]
    right: bool


def _describe_clusters(reading: FittingReading) -> list[_ClusterRow]:
    """Clusters of a reading in its usual spelling, spaces left out."""
    hyp = reading.hyp
    if hyp.text != normalise(hyp.text):
        return []
    clusters = split_clusters(hyp.text)
    kept = find_kept(split_clusters(normalise(reading.truth)), clusters)
    return [
        _ClusterRow(values, right)
        for cluster, values, right in zip(clusters, describe_clusters(hyp), kept, strict=True)
        if cluster != " "
    ]


def fit_logistic(x: Floats, y: Floats) -> Floats:
    """Weights (k,) of rows x (n, k) and truths y (n,), by Newton's method with a little ridge."""
    weights = np.zeros(x.shape[1])
    for _ in range(80):
        p = _predict(x, weights)
        gradient = x.T @ (p - y) + _RIDGE * weights
        hessian = (x * (p * (1 - p))[:, None]).T @ x + _RIDGE * np.eye(len(weights))
        step = np.linalg.solve(hessian, gradient)
        weights = weights - step
        if float(np.abs(step).max()) < 1e-8:
            break
    return weights


def _predict(x: Floats, weights: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(x @ weights, -30, 30))))


def store_calibration(path: Path, fits: dict[str, Fit]) -> None:
    """Write fits into a model file's metadata, beside those of other decoders.

    Args:
        path: The .onnx file.
        fits: By decoder: "beam", "path" or "joint", see `odia_ocr.recognize.ctc`.
    """
    import onnx

    proto = onnx.load(path)
    kept = {entry.key: entry.value for entry in proto.metadata_props}
    before = {
        name: values
        for name, values in json.loads(kept.get("calibration", "{}")).items()
        if isinstance(values, dict)
    }
    after = {name: asdict(fit) for name, fit in fits.items()}
    kept["calibration"] = json.dumps({**before, **after})
    onnx.helper.set_model_props(proto, kept)
    onnx.save(proto, path)
