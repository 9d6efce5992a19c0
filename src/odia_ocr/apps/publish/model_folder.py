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

from odia_ocr.apps.publish.local_paths import clean_config
from odia_ocr.errors import DataError, FileMissingError, ModelMissingError, UsageError
from odia_ocr.recognize.vlm.naming import PUBLISHED_TINY, TINY, find_base, is_shipped
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
_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+", re.ASCII)
_SHIPPED = ("odia_ocr", "weights", f"vlm-{TINY}")  # of whatever installation
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder with a model in it.

    Attributes:
        folder: Where.
        kind: "adapter" (LoRA), "model" (transformers) or "onnx" (an engine of this package).
        files: Names of what belongs on the hub, sorted.
        left_out: Names of what stays at home; folders end in "/".
        base_model: What an adapter is for, as the hub names it, or `PUBLISHED_TINY`; None for the
            others.
    """

    folder: Path
    kind: Kind
    files: tuple[str, ...]
    left_out: tuple[str, ...]
    base_model: str | None = None

    @property
    def hub_base(self) -> str | None:
        """The base model, if it is one of the hub."""
        return None if self.base_model == PUBLISHED_TINY else self.base_model

    def read(self, name: str) -> Path | bytes:
        """A file as it is published: nothing in it leads to a folder of this machine."""
        path = self.folder / name
        if not name.endswith(".json"):
            return path
        data = clean_config(name, path.read_bytes())
        if name == ADAPTER_CONFIG:
            config = json.loads(data)
            if config["base_model_name_or_path"] != self.base_model:
                config["base_model_name_or_path"] = self.base_model
                data = (json.dumps(config, indent=2, ensure_ascii=False) + "\n").encode()
        return data

    @property
    def weights(self) -> tuple[str, ...]:
        """Names of the files with weights."""
        return tuple(name for name in self.files if _matches(name, _WEIGHTS[self.kind]))


def read_model_folder(folder: Path, *, base: str | None = None) -> ModelFolder:
    """Tell what a folder holds, and check that it is whole.

    Args:
        folder: The folder.
        base: What an adapter is for; None takes what it names itself.

    Raises:
        UsageError: If `base` is no name of a hub, or the folder holds no adapter.
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
    if base is not None:
        _check_base(base, kind)
    named = _name_base(base or _read_base(folder), folder) if kind == "adapter" else None
    model = ModelFolder(folder, kind, files, tuple(others), named)
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
    return base


def _name_base(base: str, folder: Path) -> str:
    """What to call the base model elsewhere."""
    if is_shipped(base) or Path(base).parts[-3:] == _SHIPPED or _is_shipped_folder(base):
        return PUBLISHED_TINY
    places = (Path(), *folder.resolve().parents)
    if not _HUB_ID.fullmatch(base) or any((place / base).exists() for place in places):
        raise DataError(
            f"{folder / ADAPTER_CONFIG} names the base model {base!r}, which is a folder of this "
            "machine.",
            next_step="Say what it is called on the hub: --base OWNER/NAME. A base that is not "
            "there can be published first.",
        )
    return base


def _is_shipped_folder(base: str) -> bool:
    try:
        return Path(base).is_dir() and Path(base).samefile(find_base(TINY))
    except ModelMissingError:
        return False


def _check_base(base: str, kind: Kind) -> None:
    if kind != "adapter":
        raise UsageError(f"--base is for adapters; this folder holds a whole {kind} model.")
    if not is_shipped(base) and not _HUB_ID.fullmatch(base):
        raise UsageError(
            f"--base {base!r} is no name of the hub.",
            next_step=f"Write OWNER/NAME, or {TINY} for the model that comes with the package.",
        )


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
