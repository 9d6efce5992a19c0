"""Weights become the ONNX file that reads: log-probabilities, metadata, calibration, model card."""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from odia_ocr.data.compose import Mix
from odia_ocr.data.lines import make_renderer
from odia_ocr.errors import RecognitionError
from odia_ocr.language import ALPHABET, EditCounts, count_edits, fold
from odia_ocr.recognize.ctc import CtcRecognizer, load_fast
from odia_ocr.recognize.ctc import load as load_recognizer
from odia_ocr.recognize.line_tensor import PREPROCESSING, Geometry
from odia_ocr.train.checkpoint import open_model, read_facts
from odia_ocr.train.confidence import Fit, fit_confidence, store_calibration
from odia_ocr.train.ctc_model import CtcModel, count_parameters
from odia_ocr.train.quantise import quantise_model
from odia_ocr.types import Candidates, LineImage

INT8_MARGIN = 0.05


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
- Confidence: logistic fits on {fit.lines} held-out rendered lines (a tenth of them not Odia),
  read with the language model; Brier score there {fit.brier}; weights of lines {list(fit.line)}, of
  clusters {list(fit.cluster)}; lines surer than {fit.review} are right in 98 % of cases there.

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
    weights: Path, out: Path, *, version: str, quantise: bool = True, fit_lines: int = 3000
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
    fast = fit_confidence(load_fast(str(chosen)), count=fit_lines)
    store_calibration(chosen, {"beam": fit, "path": fast})
    chosen.replace(out)
    write_card(out.with_suffix(".md"), weights, fit, rates, version=version)
    return fit
