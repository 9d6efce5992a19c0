"""The settings of a training run: from a JSON file, with the options of the command put in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from odia_ocr.errors import ConfigError


def read_settings(
    config: Path | None, run: Path | None, defaults: dict[str, Any]
) -> dict[str, Any]:
    """The settings of a file, or of a run, each of the kind that its default has.

    Unknown keys stay; without a file there are no settings.

    Raises:
        ConfigError: If the file cannot be read, or a value is of the wrong kind.
    """
    path = config or (run / "config.json" if run else None)
    if path is None or (config is None and not path.exists()):
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"Cannot read {path}: {error}.", next_step="Give a JSON file.") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path} must hold a JSON object.")
    wrong = list(_find_wrong(values, defaults))
    if wrong:
        raise ConfigError(
            f"{path}: {'; '.join(wrong)}.",
            next_step="Compare it with the config.json of a run.",
        )
    return values


def put_given(settings: dict[str, Any], options: Mapping[str, object]) -> None:
    """Let the options that were given win over the settings of a file; paths become strings."""
    for key, value in options.items():
        if value is not None:
            settings[key] = str(value) if isinstance(value, Path) else value


def _find_wrong(values: dict[str, Any], defaults: dict[str, Any]) -> Iterator[str]:
    """Say which values are not of the kind of their default."""
    for key, value in values.items():
        if key not in defaults:
            continue
        default = defaults[key]
        if isinstance(default, dict) and isinstance(value, dict):
            yield from (f"{key}.{wrong}" for wrong in _find_wrong(value, default))
        elif not _fits(value, default):
            yield f"{key} must be {_name_kind(default)}, got {value!r}"


def _fits(value: object, default: object) -> bool:
    if isinstance(default, tuple):  # of so many numbers, or any number of names
        if not isinstance(value, list):
            return False
        kinds = default or ("",) * len(value)
        return len(value) == len(kinds) and all(map(_fits, value, kinds))
    if default is None:
        return value is None or isinstance(value, str)
    if isinstance(value, bool) or isinstance(default, bool):
        return isinstance(value, bool) and isinstance(default, bool)
    return isinstance(value, (int, float) if isinstance(default, float) else type(default))


def _name_kind(default: object) -> str:
    if isinstance(default, tuple):
        return f"a list of {len(default)} numbers" if default else "a list of names"
    kinds = {dict: "an object", bool: "true or false", int: "a whole number", float: "a number"}
    return kinds.get(type(default), "a string")
