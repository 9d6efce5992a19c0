"""What a folder holds that belongs on the hub: a LoRA adapter, a whole model or an ONNX engine.

Files are taken by name, from lists of what such a model is made of, so what a training run leaves
beside it (optimizer and random states, arguments, logs, pictures) stays at home whatever it is
called. Weights that were cut short and pickled weights stop the upload.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal

from odia_ocr.errors import DataError, FileMissingError
from odia_ocr.recognize.vlm.settings import FILE_NAME as SETTINGS

Kind = Literal["adapter", "model", "onnx"]

ADAPTER_CONFIG = "adapter_config.json"
RESULTS, NOTES = "evaluation_results.json", "model.md"  # these go into the card
MOST_BYTES = 50 * 10**9  # the hub refuses larger files

_WEIGHTS: dict[Kind, tuple[str, ...]] = {
    "adapter": ("adapter_model.safetensors", "adapter_model-*-of-*.safetensors"),
    "model": ("model.safetensors", "model-*-of-*.safetensors"),
    "onnx": ("*.onnx",),
}
_TOKENS = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "chat_template.json",
    "preprocessor_config.json",
    "processor_config.json",
    "video_preprocessor_config.json",
    SETTINGS,
)
_BESIDE: dict[Kind, tuple[str, ...]] = {
    "adapter": (ADAPTER_CONFIG, "adapter_model.safetensors.index.json", *_TOKENS),
    "model": ("config.json", "generation_config.json", "model.safetensors.index.json", *_TOKENS),
    "onnx": ("*.onnx.data", "*.ngram", "*.trie"),
}
_ALWAYS = ("LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE")
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder with a model in it.

    Attributes:
        folder: Where.
        kind: "adapter" (LoRA), "model" (transformers) or "onnx" (an engine of this package).
        files: Names of what belongs on the hub, sorted.
        left_out: Names of what stays at home; folders end in "/".
        base_model: What an adapter is for, as the hub names it; None for the others.
    """

    folder: Path
    kind: Kind
    files: tuple[str, ...]
    left_out: tuple[str, ...]
    base_model: str | None = None

    @property
    def weights(self) -> tuple[str, ...]:
        """Names of the files with weights."""
        return tuple(name for name in self.files if _matches(name, _WEIGHTS[self.kind]))


def read_model_folder(folder: Path) -> ModelFolder:
    """Tell what a folder holds, and check that it is whole.

    Raises:
        FileMissingError: If there is no such folder.
        DataError: If it holds no usable weights, an empty file or one too large for the hub.
    """
    if not folder.is_dir():
        raise FileMissingError(f"There is no folder {folder}.", next_step="Check the path.")
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    kind = _tell_kind(folder, names)
    wanted = (*_WEIGHTS[kind], *_BESIDE[kind], *_ALWAYS)
    files = tuple(name for name in names if _matches(name, wanted))
    others = [name for name in names if name not in (*files, RESULTS, NOTES)]
    others += sorted(f"{path.name}/" for path in folder.iterdir() if path.is_dir())
    base = _read_base(folder) if kind == "adapter" else None
    model = ModelFolder(folder, kind, files, tuple(others), base)
    _check_weights(model)
    return model


def _tell_kind(folder: Path, names: list[str]) -> Kind:
    if ADAPTER_CONFIG in names:
        return "adapter"
    for kind in ("model", "onnx"):
        if any(_matches(name, _WEIGHTS[kind]) for name in names):
            return kind
    pickled = [name for name in names if _matches(name, _PICKLED)]
    if pickled:
        raise DataError(
            f"{folder} holds weights only in files that can carry programs: {', '.join(pickled)}.",
            next_step="Save them as safetensors, or export an ONNX file.",
        )
    raise DataError(
        f"{folder} holds no weights ({', '.join(names) or 'it is empty'}).",
        next_step="Give a folder with adapter_config.json and adapter_model.safetensors, with"
        " config.json and model.safetensors, or with an .onnx file.",
    )


def _read_base(folder: Path) -> str:
    path = folder / ADAPTER_CONFIG
    try:
        base: Any = json.loads(path.read_text("utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, LookupError, TypeError):
        base = None
    if not isinstance(base, str) or not base:
        raise DataError(
            f"{path} names no base model.", next_step="Save the adapter again with peft."
        )
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", base) or Path(base).exists():
        raise DataError(
            f"{path} names the base model {base!r}, which is a folder of this machine.",
            next_step="Write the base model's name on the hub there (base_model_name_or_path).",
        )
    return base


def _check_weights(model: ModelFolder) -> None:
    if not model.weights:
        wanted = _WEIGHTS[model.kind][0]
        raise DataError(
            f"{model.folder} holds no weights: {wanted} is missing.",
            next_step="Save it again; pickled weights (.bin) are not published.",
        )
    for name in model.files:
        size = (model.folder / name).stat().st_size
        if not 0 < size <= MOST_BYTES:
            raise DataError(
                f"{model.folder / name} has {size} bytes, and the hub takes 1 to {MOST_BYTES}.",
                next_step="Save it again; large models are saved in several files (shards).",
            )
    for name in model.weights:
        if name.endswith(".safetensors"):
            _check_safetensors(model.folder / name)


def _check_safetensors(path: Path) -> None:
    """The header says how long the file must be (format of the safetensors library)."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > path.stat().st_size:
                raise ValueError("the header is cut short")
            header: dict[str, Any] = json.loads(file.read(length))
        ends = [row["data_offsets"][1] for key, row in header.items() if key != "__metadata__"]
        if not ends or 8 + length + max(ends) != path.stat().st_size:
            raise ValueError("its length is not what its header says")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path} is not a whole safetensors file: {error}.", next_step="Save it again."
        ) from None


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)
