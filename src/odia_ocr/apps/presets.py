"""The presets of `odia-ocr read`, and what was measured of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from odia_ocr.errors import name_choices

PRESETS = {"fast": "ctc-fast", "balanced": "ctc", "best": "ctc-best"}
DEFAULT_PRESET = "balanced"
_MEASURED = Path(__file__).with_name("presets.json")  # written by scripts/report.py


def describe_presets() -> str:
    """What presets cost and give on the rendered reporting pages; "" where nothing was measured."""
    try:
        told = [
            f"{name} {100 * rate['cer']:.1f} % of characters wrong, {rate['seconds']:.2f} s a "
            f"page, {rate['ratio']:.1f} times Tesseract's speed"
            for name, rate in measured_rates().items()
        ]
    except (LookupError, TypeError, AttributeError):
        return ""
    return f" Measured on rendered pages, one thread: {'; '.join(told)}."


def measured_rates() -> dict[str, Any]:
    """Preset -> what was measured of it; empty where nothing was."""
    try:
        rates: dict[str, Any] = json.loads(_MEASURED.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return rates


def choose_engine(engine: str, preset: str) -> str:
    """The engine that a preset makes of `engine`; presets change the shipped one only.

    Raises:
        UsageError: If there is no such preset.
    """
    if preset not in PRESETS:
        raise name_choices(preset, list(PRESETS), kind="preset")
    if engine.partition(":")[0] == "ctc":
        return engine.replace("ctc", PRESETS[preset], 1)
    return engine
