"""Weights become the ONNX file that reads: log-probabilities, metadata, calibration, model card."""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from odia_ocr.correct.calibrate import FEATURES, describe
from odia_ocr.data.compose import Mix
from odia_ocr.data.degrade import CLEAN, TRAINING
from odia_ocr.data.lines import make_renderer
from odia_ocr.data.strangers import draw_stranger
from odia_ocr.errors import RecognitionError
from odia_ocr.language import ALPHABET, EditCounts, count_edits, fold, normalise
from odia_ocr.recognize.ctc import CtcRecognizer
from odia_ocr.recognize.ctc import load as load_recognizer
from odia_ocr.recognize.decode.greedy import GreedyDecoder
from odia_ocr.recognize.line_tensor import PREPROCESSING, Geometry
from odia_ocr.train.checkpoint import open_model, read_facts
from odia_ocr.train.ctc_model import CtcModel, count_parameters
from odia_ocr.train.quantise import quantise_model
from odia_ocr.types import Candidates, Hypothesis, LineImage

INT8_MARGIN = 0.05
NOT_ODIA = "\ue000"  # the truth of a line that no reading gets right


class _LogProbs(nn.Module):
    def __init__(self, model: CtcModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        log_probs: Tensor = self.model(pixels).log_softmax(-1)
        return log_probs


def write_onnx(model: CtcModel, path: Path, *, version: str) -> None:
    """Write a model that maps uint8 (n, 1, H, w) to log-probabilities (n, w / 4, V).

    The written file is compared with the module at several batch sizes and widths.

    Raises:
        RecognitionError: If the two differ.
    """
    import onnx

    wrapper = _LogProbs(model).eval()
    height = model.architecture.height
    # One line: the exporter's own advice for recurrent layers that will see other batch sizes.
    example = torch.randint(0, 255, (1, 1, height, 192), dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            wrapper,
            (example,),
            str(path),
            input_names=["pixels"],
            output_names=["log_probs"],
            dynamic_axes={"pixels": {0: "n", 3: "w"}, "log_probs": {0: "n", 1: "t"}},
            opset_version=17,
            dynamo=False,
        )
    wrapper.eval()
    proto = onnx.load(path)
    metadata = {
        "alphabet": json.dumps(list(ALPHABET.symbols)),
        "geometry": json.dumps(asdict(Geometry(height=height))),
        "preprocessing": PREPROCESSING,
        "version": version,
    }
    onnx.helper.set_model_props(proto, metadata)
    onnx.save(proto, path)
    _compare(wrapper, path, height)


@torch.no_grad()
def _compare(wrapper: _LogProbs, path: Path, height: int) -> None:
    session = load_recognizer(str(path), threads=1).session
    for n, width in ((1, 192), (3, 256), (5, 64)):
        pixels = torch.randint(0, 255, (n, 1, height, width), dtype=torch.uint8)
        ours = wrapper(pixels).numpy()
        (theirs,) = session.run(None, {"pixels": pixels.numpy()})
        gap = float(np.abs(ours - np.asarray(theirs)).max())
        if gap > 2e-3:
            raise RecognitionError(
                f"The exported model differs from the trained one by {gap:.4f} (batch {n}, width "
                f"{width}).",
                next_step="Report this with the versions of torch and onnxruntime.",
            )


@dataclass(frozen=True, slots=True)
class Fit:
    """A confidence fit: weights of `correct.calibrate.FEATURES`, a temperature, and its quality.

    Attributes:
        weights: Logistic weights.
        temperature: For cluster confidence.
        lines: Lines it was fitted on.
        brier: Mean squared error on the fitting lines, lower is better.
    """

    weights: tuple[float, ...]
    temperature: float
    lines: int
    brier: float


def read_fitting_lines(
    recognizer: CtcRecognizer, *, count: int, seed: int = 909
) -> list[tuple[Hypothesis, str]]:
    """Hypotheses and truths of held-out rendered lines; every eighth is not Odia."""
    hyps: list[tuple[Hypothesis, str]] = []
    renderers = [
        make_renderer(split="check", seed=seed + i, recipe=recipe, mix=Mix(max_words=8))
        for i, recipe in enumerate((TRAINING, TRAINING, CLEAN))
    ]
    images: list[LineImage] = []
    truths: list[str] = []
    for i in range(count):
        if i % 8 == 7:
            images.append(LineImage(str(i), draw_stranger(np.random.default_rng([seed, i]))))
            truths.append(NOT_ODIA)
        else:
            line = renderers[i % len(renderers)].render(i)
            images.append(LineImage(str(i), line.pixels))
            truths.append(line.text)
    for result, truth in zip(recognizer.read(images), truths, strict=True):
        if isinstance(result, Candidates) and result.best.symbols:
            hyps.append((result.best, truth))
    return hyps


def fit_confidence(recognizer: CtcRecognizer, *, count: int = 1500) -> Fit:
    """Fit the line confidence (Newton's method, a little ridge) and the cluster temperature."""
    pairs = read_fitting_lines(recognizer, count=count)
    x = np.array([describe(hyp) for hyp, _ in pairs])
    right = [fold(normalise(hyp.text)) == fold(truth) for hyp, truth in pairs]
    y = np.array(right, np.float64)
    weights = np.zeros(len(FEATURES))
    for _ in range(60):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        gradient = x.T @ (p - y) + 1e-2 * weights
        hessian = (x * (p * (1 - p))[:, None]).T @ x + 1e-2 * np.eye(len(weights))
        step = np.linalg.solve(hessian, gradient)
        weights -= step
        if float(np.abs(step).max()) < 1e-8:
            break
    p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
    brier = round(float(np.mean((p - y) ** 2)), 5)
    # Temperature: the products of symbol probabilities should match how often lines are right.
    # Of the best path: a letter that the language model put in says nothing about the others.
    plain = read_fitting_lines(replace(recognizer, decoder=GreedyDecoder()), count=count)
    totals = np.array([sum(s.logp for s in hyp.symbols) for hyp, _ in plain])
    y = np.array([fold(normalise(hyp.text)) == fold(truth) for hyp, truth in plain], np.float64)
    grid = np.linspace(0.3, 4.0, 75)
    losses = [
        -float(
            np.mean(y * (totals / t) + (1 - y) * np.log1p(-np.exp(np.minimum(totals / t, -1e-6))))
        )
        for t in grid
    ]
    return Fit(
        weights=tuple(round(float(w), 6) for w in weights),
        temperature=round(float(grid[int(np.argmin(losses))]), 3),
        lines=len(pairs),
        brier=brier,
    )


def store_calibration(path: Path, fit: Fit) -> None:
    """Write the fit into the model file's metadata."""
    import onnx

    proto = onnx.load(path)
    kept = {entry.key: entry.value for entry in proto.metadata_props}
    kept["calibration"] = json.dumps(asdict(fit))
    onnx.helper.set_model_props(proto, kept)
    onnx.save(proto, path)


def measure_lines(recognizer: CtcRecognizer, *, count: int, seed: int = 707) -> float:
    """Character error rate on degraded lines of held-out faces and texts."""
    renderer = make_renderer(split="check", seed=seed, mix=Mix(min_words=3, max_words=8))
    drawn = [renderer.render(i) for i in range(count)]
    images = [LineImage(str(i), line.pixels) for i, line in enumerate(drawn)]
    total = EditCounts(0, 0)
    for line, result in zip(drawn, recognizer.read(images), strict=True):
        text = result.best.text if isinstance(result, Candidates) else ""
        total += count_edits(fold(line.text), fold(text))
    return total.rate


def _describe_data(facts: dict[str, Any]) -> str:
    folders = facts.get("labelled_folders", [])
    real = f"Labelled lines of {', '.join(folders)} were mixed in." if folders else ""
    drawn = f"Lines rendered from {facts.get('text', 'text')} in {facts.get('fonts', 'fonts')}."
    return f"{drawn} {real or 'No real picture was trained on.'}"


def write_card(
    path: Path, weights: Path, fit: Fit, rates: dict[str, float], *, version: str
) -> None:
    """Write the model card: what it is, what it was trained on, how well it read held-out lines."""
    meta = read_facts(weights)
    facts: dict[str, Any] = meta["facts"]
    model = open_model(weights)
    shape = "\n".join(f"| {key} | {value} |" for key, value in meta["architecture"].items())
    measured = "\n".join(f"| {key} | {value} |" for key, value in facts.items())
    measured += "".join(
        f"\n| CER of the {name} file, degraded held-out lines | {rate:.4f} |"
        for name, rate in rates.items()
    )
    path.write_text(
        f"""# Model card: ctc-{version}

A compact CTC line recognizer for printed Odia (with Latin words, both kinds of digits and
punctuation), {count_parameters(model) / 1e6:.2f} M weights, trained from scratch on rendered lines.

- Input: one line, grey, {meta["architecture"]["height"]} pixels high (`{PREPROCESSING}`).
- Output: log-probabilities over {len(meta["alphabet"])} symbols and the blank, a frame per 4 px.
- Alphabet digest: `{meta["alphabet_digest"]}`.
- Confidence: logistic fit on {fit.lines} held-out rendered lines (an eighth of them not Odia),
  Brier score there {fit.brier}; weights {list(fit.weights)}, cluster temperature {fit.temperature}.

## At its best validation (small rendered held-out sets; reports hold the published figures)

The facts are of the last run; where it went on from an earlier one, LOG.md has the others.

| fact | value |
|---|---|
{measured}

## Architecture

| key | value |
|---|---|
{shape}

## Data

{_describe_data(facts)} Held-out lines (`sha1(line) % 20 == 1`), their near-copies and the held-out
faces never entered training; they chose the checkpoint and fitted the confidence.
Sources and licences: THIRD_PARTY.md.

## Limits

Print only. Handwriting and other scripts are not read; they should come out with low confidence.
Letterpress conjuncts that no training face draws are not known to it.
""",
        encoding="utf-8",
    )


def export_run(
    weights: Path, out: Path, *, version: str, quantise: bool = True, fit_lines: int = 1500
) -> Fit:
    """Export weights to `out`: ONNX with metadata, int8, calibration; the card goes beside it.

    Args:
        weights: Safetensors file with its JSON.
        out: The .onnx file to write.
        version: Written into the metadata and every hypothesis.
        quantise: int8 instead of float32, unless it costs more than `INT8_MARGIN` of the error
            rate; the card holds the error rates of both.
        fit_lines: Held-out rendered lines that the confidence is fitted on.
    """
    floating = out.with_suffix(".float32.onnx")
    write_onnx(open_model(weights), floating, version=version)
    check = max(40, fit_lines // 5)
    rates = {"float32": measure_lines(load_recognizer(str(floating)), count=check)}
    chosen = floating
    if quantise:
        small = out.with_suffix(".int8.onnx")
        quantise_model(floating, small)
        rates["int8"] = measure_lines(load_recognizer(str(small)), count=check)
        if rates["int8"] <= rates["float32"] * (1 + INT8_MARGIN) + 1e-3:
            floating.unlink()
            chosen = small
        else:
            small.unlink()
    fit = fit_confidence(load_recognizer(str(chosen)), count=fit_lines)
    store_calibration(chosen, fit)
    chosen.replace(out)
    write_card(out.with_suffix(".md"), weights, fit, rates, version=version)
    return fit
