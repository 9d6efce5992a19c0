"""Weights of the trainers become engines: checkpoints of one run, and models without int8.

Checkpoints are ONNX files or weights of the CTC recognizer, or folders of LoRA adapters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from odia_ocr.campaign.stack import name_engine
from odia_ocr.errors import DataError, ModelMissingError, OdiaOcrError, ResourceMissingError
from odia_ocr.recognize.vlm.naming import KIND, TINY, compose_engine

WEIGHTS, MODEL = ".safetensors", ".onnx"
MEAN = "mean.onnx"
ADAPTER, WEIGHTS_OF_ADAPTER = "adapter_config.json", "adapter_model.safetensors"


@dataclass(frozen=True, slots=True)
class Ladder:
    """Checkpoints of one run.

    Attributes:
        engines: Their engines, oldest first.
        averaged: The engine whose weights are the mean of theirs, or "".
    """

    engines: tuple[str, ...] = ()
    averaged: str = ""


def open_ladder(
    pattern: str, folder: Path, *, say: Callable[[str], None], base: str = ""
) -> Ladder:
    """Find the checkpoints of a pattern; weights are exported to ONNX.

    The mean of their weights is made of .safetensors files and of adapters; beside .onnx files it
    is MEAN, if that is there.

    Args:
        pattern: E.g. "RUN/checkpoint-*"; a folder of checkpoints counts as well.
        folder: For the exported models; those of the same weights are used again.
        say: Told what could not be done without ending the campaign.
        base: The model of adapters; "" takes the one they name.

    Raises:
        DataError: If fewer than two checkpoints fit the pattern.
        ModelMissingError: If a checkpoint is not usable.
        ResourceMissingError: If weights need exporting and the trainer's libraries are missing.
    """
    adapters = _sort(path for path in _find(Path(pattern)) if (path / ADAPTER).is_file())
    if len(adapters) == 1 and not sort_checkpoints(_find(Path(pattern))):
        raise DataError(
            f"One adapter alone fits {pattern!r}.",
            next_step="Name at least two of one run, e.g. --ladder 'RUN/checkpoint-*'.",
        )
    if len(adapters) > 1:
        return _open_adapters(adapters, folder, base=base, say=say)
    paths = sort_checkpoints(_find(Path(pattern)))
    if len(paths) < 2:
        raise DataError(
            f"{len(paths)} checkpoints (.onnx, .safetensors or adapters) fit {pattern!r}.",
            next_step="Name at least two of one run, e.g. --ladder 'RUN/checkpoint-*'.",
        )
    weights = [path for path in paths if path.suffix == WEIGHTS]
    engines = tuple(
        f"ctc:{_export(path, folder) if path.suffix == WEIGHTS else path}" for path in paths
    )
    mean = paths[-1].with_name(MEAN)
    averaged = f"ctc:{mean}" if not weights and mean.exists() else ""
    if len(weights) == len(paths):
        try:
            averaged = f"ctc:{_average(weights, folder)}"
        except OdiaOcrError as error:
            say(f"The checkpoints' weights could not be averaged: {error}")
    return Ladder(engines, averaged)


def open_floating(name: str, folder: Path) -> str:
    """The engine of a model that is not quantised; weights of the trainer are exported to ONNX.

    Args:
        name: An engine such as "ctc:FILE.onnx", or a .safetensors file.
        folder: As in `open_ladder`.

    Raises:
        ModelMissingError: If the weights are not usable.
        ResourceMissingError: If the trainer's libraries are missing.
    """
    path = Path(name)
    return f"ctc:{_export(path, folder)}" if path.suffix == WEIGHTS else name


def open_halved(floating: str, folder: Path) -> str:
    """The engine of a float model whose weights became 16-bit floats; made when it is not there.

    Args:
        floating: An engine such as "ctc:FILE.onnx".
        folder: As in `open_ladder`.

    Raises:
        ModelMissingError: If there is no such file.
        ResourceMissingError: If the trainer's libraries are missing.
    """
    from odia_ocr.campaign.cache import digest_file

    kind, _, file = floating.partition(":")
    source = Path(file)
    if not source.is_file():
        raise ModelMissingError(
            f"{floating} names no file of a float model.", next_step="Write ctc:FILE.onnx."
        )
    path = folder / f"{name_engine(floating)}-half-{digest_file(source)}{MODEL}"
    if not path.exists():
        _check_trainer("onnx")
        from odia_ocr.train.quantise import halve_model

        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.onnx")
        halve_model(source, part)
        part.replace(path)
    return f"{kind}:{path}"


def _find(pattern: Path) -> Iterable[Path]:
    return pattern.iterdir() if pattern.is_dir() else pattern.parent.glob(pattern.name)


def sort_checkpoints(paths: Iterable[Path]) -> list[Path]:
    """Checkpoints by the last number in their names; a model beside its own weights counts once."""
    usable = [p for p in paths if p.suffix in (WEIGHTS, MODEL) and p.name != MEAN]
    stems = {path.with_suffix("") for path in usable if path.suffix == WEIGHTS}
    kept = [p for p in usable if p.suffix == WEIGHTS or p.with_suffix("") not in stems]
    return _sort(kept)


def _sort(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: (_number(path.stem), path.name))


def _open_adapters(
    paths: Sequence[Path], folder: Path, *, base: str, say: Callable[[str], None]
) -> Ladder:
    """Adapters of one run on their model, and the exact mean of their updates."""
    named = base or _name_base(paths[0])
    engines = tuple(compose_engine(named, adapters=(str(path),)) for path in paths)
    mean = folder / f"mean-of-{len(paths)}-{_digest(paths)}"
    try:
        if not mean.is_dir():
            _check_trainer("torch", "peft")
            from odia_ocr.train.adapters.average import average_adapters

            average_adapters(paths, mean)
    except OdiaOcrError as error:
        say(f"The adapters could not be averaged: {error}")
        return Ladder(engines)
    return Ladder(engines, compose_engine(named, adapters=(str(mean),)))


def _digest(adapters: Sequence[Path]) -> str:
    """Names what is averaged, by the content of all adapters."""
    from odia_ocr.campaign.cache import digest_file, digest_key

    return digest_key(
        {str(i): digest_file(path / WEIGHTS_OF_ADAPTER) for i, path in enumerate(adapters)}
    )[:12]


def _name_base(adapter: Path) -> str:
    """The engine of the model that an adapter was made for."""
    config = json.loads((adapter / ADAPTER).read_text(encoding="utf-8"))
    return f"{KIND}:{config.get('base_model_name_or_path') or TINY}"


def _export(weights: Path, folder: Path) -> Path:
    """The ONNX file of weights, float; made when it is not there."""
    from odia_ocr.campaign.cache import digest_file

    if not weights.is_file():
        raise ModelMissingError(f"No weights {weights}.", next_step="Check the path.")
    path = folder / f"{weights.stem}-{digest_file(weights)}{MODEL}"
    if not path.exists():
        _check_trainer("torch", "onnx")
        from odia_ocr.train.checkpoint import open_model
        from odia_ocr.train.export import write_onnx

        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.onnx")
        write_onnx(open_model(weights), part, version=weights.stem)
        part.replace(path)
    return path


def _average(weights: Sequence[Path], folder: Path) -> Path:
    """The ONNX file of a model whose weights are the mean of checkpoints of one run.

    Raises:
        ModelMissingError: If the checkpoints are of different models.
    """
    _check_trainer("torch", "onnx")
    from odia_ocr.train.average import average_checkpoints

    return _export(
        average_checkpoints(weights, folder / f"mean-of-{len(weights)}{WEIGHTS}"), folder
    )


def _check_trainer(*libraries: str) -> None:
    import importlib.util

    missing = [name for name in libraries if importlib.util.find_spec(name) is None]
    if missing:
        raise ResourceMissingError(
            f"Weights need libraries that are not installed: {', '.join(missing)}.",
            next_step="Install them with: pip install 'odia-ocr[train,vlm]', or name .onnx files.",
        )


def _number(name: str) -> int:
    found = re.findall(r"\d+", name)
    return int(found[-1]) if found else -1
