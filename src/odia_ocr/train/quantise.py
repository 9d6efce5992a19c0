"""A float ONNX model becomes a smaller one: int8, faster on a CPU (LOG.md), or 16-bit weights.

Convolutions get static scales from rendered training lines, the recurrent layers and matrix
products find theirs at run time. The first convolution stays in float: it is cheap and sees pixels.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from odia_ocr.data.lines import make_renderer
from odia_ocr.recognize.line_tensor import Geometry, line_to_pixels, pad_width, stack_lines

_FEWEST_HALVED = 64  # values; smaller weights are not worth a node


class _CalibrationLines:
    """Feeds rendered training lines to the quantiser."""

    def __init__(self, geometry: Geometry, count: int, seed: int) -> None:
        self._geometry = geometry
        renderer = make_renderer(seed=seed)
        self._lines: Iterator[Any] = (
            line_to_pixels(renderer.render(i).pixels, geometry) for i in range(count)
        )

    def get_next(self) -> dict[str, Any] | None:
        """The next input, or None at the end."""
        line = next(self._lines, None)
        if line is None:
            return None
        width = pad_width(line.shape[1], self._geometry)
        return {"pixels": stack_lines([line], width)}


@contextmanager
def quiet_quantiser() -> Iterator[None]:
    """Keep the quantiser's advice about itself off the terminal."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def halve_model(source: Path, target: Path) -> None:
    """Write a copy whose weights are 16-bit floats, widened to 32 bits when it is opened.

    Inputs, outputs and all computing stay as they are; `precision` of the metadata is set.

    Args:
        source: Float model as `write_onnx` makes it.
        target: Where to write.
    """
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    proto = onnx.load(source)
    graph = proto.graph
    weights, widened = [], []
    for weight in graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < _FEWEST_HALVED:
            weights.append(weight)
            continue
        name = f"{weight.name}.half"
        weights.append(numpy_helper.from_array(values.astype(np.float16), name))
        widened.append(helper.make_node("Cast", [name], [weight.name], to=TensorProto.FLOAT))
    nodes = [*widened, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(weights)
    graph.node.extend(nodes)
    metadata = {entry.key: entry.value for entry in proto.metadata_props}
    helper.set_model_props(proto, {**metadata, "precision": "float16"})
    onnx.save(proto, target)


def quantise_model(source: Path, target: Path, *, lines: int = 160, seed: int = 555) -> None:
    """Write an int8 copy of `source` to `target`; metadata is kept, `precision` is set.

    Args:
        source: Float model as `write_onnx` makes it.
        target: Where to write.
        lines: Rendered training lines that set the scales.
        seed: Of those lines.
    """
    import onnx
    from onnxruntime.quantization import (
        QuantFormat,
        QuantType,
        quantize_dynamic,
        quantize_static,
    )
    from onnxruntime.quantization.calibrate import CalibrationDataReader
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(_CalibrationLines, CalibrationDataReader):  # type: ignore[misc]
        """What the quantiser asks for."""

    metadata = {entry.key: entry.value for entry in onnx.load(source).metadata_props}
    geometry = Geometry(**json.loads(metadata["geometry"]))
    with tempfile.TemporaryDirectory() as name, quiet_quantiser():
        prepared, mixed = Path(name) / "prepared.onnx", Path(name) / "mixed.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        quantize_dynamic(
            str(prepared),
            str(mixed),
            op_types_to_quantize=["LSTM", "MatMul"],
            weight_type=QuantType.QInt8,
        )
        first = next(node.name for node in onnx.load(mixed).graph.node if node.op_type == "Conv")
        quantize_static(
            str(mixed),
            str(target),
            Reader(geometry, lines, seed),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=[first],
        )
    proto = onnx.load(target)
    onnx.helper.set_model_props(proto, {**metadata, "precision": "int8"})
    onnx.save(proto, target)
