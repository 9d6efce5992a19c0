"""What a vision-language model must be given the same way in training and in reading.

Saved as `odia_ocr.json` in the folder of a model or adapter. Knows numbers and words only.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from odia_ocr.errors import ConfigError
from odia_ocr.recognize.vlm.placement import check_dtype

FILE_NAME = "odia_ocr.json"
PATCH = 28  # side, in pixels, of what becomes one token: 14 x 14 patches, merged two by two


@dataclass(frozen=True, slots=True)
class VlmSettings:
    """How pictures and texts become the tokens of a model.

    Attributes:
        prompt: What is asked beside the picture.
        line_height: Height in pixels that line pictures are scaled to; 0 leaves them as they are.
        min_pixels: Smaller pictures are scaled up to this area.
        max_pixels: Larger pictures are scaled down to this area, before they become patches.
        max_tokens: Longest sequence: prompt, picture and text. Longer samples are never cut.
        dtype: What weights are held in where nothing else is asked for; see `Placement`.
    """

    prompt: str = "Read the text in this picture. Answer with the text only."
    line_height: int = 84
    min_pixels: int = 4 * PATCH * PATCH
    max_pixels: int = 1280 * PATCH * PATCH
    max_tokens: int = 2048
    dtype: str = "auto"

    def __post_init__(self) -> None:
        if not 0 < self.min_pixels <= self.max_pixels:
            raise ConfigError(
                f"min_pixels {self.min_pixels} and max_pixels {self.max_pixels} make no range."
            )
        check_dtype(self.dtype)
        if self.line_height % PATCH:
            raise ConfigError(
                f"line_height must be a multiple of {PATCH}, got {self.line_height}.",
                next_step=f"Take {max(1, round(self.line_height / PATCH)) * PATCH}.",
            )

    def save(self, folder: Path) -> None:
        """Write them into the folder of a model."""
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"
        (folder / FILE_NAME).write_text(text, encoding="utf-8")


def read_vlm_settings(folder: Path) -> VlmSettings | None:
    """The settings saved in the folder of a model or adapter; None without any.

    Raises:
        ConfigError: If the file is damaged or holds unknown keys.
    """
    path = folder / FILE_NAME
    if not path.exists():
        return None
    try:
        values = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(
            f"Cannot read {path}: {error}.", next_step="Copy it again from where the model is from."
        ) from error
    return change_settings(VlmSettings(), values, what=str(path))


def change_settings(settings: VlmSettings, values: dict[str, Any], *, what: str) -> VlmSettings:
    """Settings with some values put in.

    Raises:
        ConfigError: On unknown keys, or a value of another kind; it names `what` holds them.
    """
    kinds = {field.name: type(getattr(settings, field.name)) for field in fields(settings)}
    wrong = sorted(k for k, v in values.items() if k not in kinds or type(v) is not kinds[k])
    if wrong:
        raise ConfigError(
            f"{what}: {', '.join(wrong)} are unknown or of the wrong kind.",
            next_step=f"Known: {', '.join(f'{k} ({t.__name__})' for k, t in kinds.items())}.",
        )
    return replace(settings, **values)
