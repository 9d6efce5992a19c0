"""Weights of a line detector become the ONNX file that finds lines, with its model card."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

from odia_ocr.errors import RecognitionError
from odia_ocr.pages.detector import INPUT
from odia_ocr.runtime import open_session
from odia_ocr.train.ctc_model import count_parameters
from odia_ocr.train.detector import open_detector
from odia_ocr.train.detector_model import MULTIPLE, DetectorModel
from odia_ocr.train.detector_quantise import quantise_detector
from odia_ocr.train.detector_stream import DISTANCE_UNIT, STRIDE


def write_detector_onnx(model: DetectorModel, path: Path, *, version: str) -> None:
    """Write a model that maps uint8 (1, 1, H, W) to float32 maps (1, 3, H / 4, W / 4).

    The written file is compared with the module at several sizes.

    Raises:
        RecognitionError: If the two differ.
    """
    import onnx

    model.eval()
    example = torch.randint(0, 255, (1, 1, 2 * MULTIPLE, 3 * MULTIPLE), dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (example,),
            str(path),
            input_names=["pixels"],
            output_names=["maps"],
            dynamic_axes={"pixels": {2: "h", 3: "w"}, "maps": {2: "rows", 3: "columns"}},
            opset_version=17,
            dynamo=False,
        )
    proto = onnx.load(path)
    facts = {"unit": DISTANCE_UNIT, "stride": STRIDE, "input": INPUT}
    onnx.helper.set_model_props(proto, {"detector": json.dumps(facts), "version": version})
    onnx.save(proto, path)
    session = open_session(path, threads=1)
    for height, width in ((64, 96), (256, 160), (32, 32)):
        pixels = torch.randint(0, 255, (1, 1, height, width), dtype=torch.uint8)
        with torch.no_grad():
            ours = model(pixels).numpy()
        (theirs,) = session.run(None, {"pixels": pixels.numpy()})
        gap = float(np.abs(ours - np.asarray(theirs)).max())
        if gap > 2e-3:
            raise RecognitionError(
                f"The exported detector differs from the trained one by {gap:.4f} "
                f"({width} x {height} pixels).",
                next_step="Report this with the versions of torch and onnxruntime.",
            )


def export_detector(weights: Path, out: Path, *, version: str) -> None:
    """Export the weights of a run to `out`; the model card goes beside it.

    Args:
        weights: Safetensors file with its JSON.
        out: The .onnx file to write.
        version: Written into the metadata and `Page.steps`.
    """
    model = open_detector(weights)
    write_detector_onnx(model, out, version=version)
    quantise_detector(out, out)
    meta: dict[str, Any] = json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))
    facts = "\n".join(f"| {key} | {value} |" for key, value in meta["facts"].items())
    shape = "\n".join(f"| {key} | {value} |" for key, value in meta["architecture"].items())
    out.with_suffix(".md").write_text(
        f"""# Model card: detector-{version}

Finds the printed lines of a page: {count_parameters(model) / 1e6:.2f} M weights, trained from
scratch on rendered pages.

- Input: the page in grey, sides multiples of {MULTIPLE} (`{INPUT}`); best where a line's ink is
  17 to 44 pixels high.
- Output, a cell per {STRIDE} x {STRIDE} pixels: the logit that the cell lies in the body of a row,
  and the logarithms of the distances up and down to the end of the row's ink, in units of
  {DISTANCE_UNIT:g} pixels.

## At its best validation (rendered pages, held-out faces and texts)

| fact | value |
|---|---|
{facts}

## Architecture

| key | value |
|---|---|
{shape}

## Data

Pages rendered by `odia_ocr.data.page_render`. No real page was trained on. Held-out lines of text
and the held-out faces never entered training; they chose the checkpoint.

## Limits

Printed lines that run about level; pages on their side are turned before they are looked at.
""",
        encoding="utf-8",
    )
