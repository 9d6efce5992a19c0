"""The whole name of a vision-language engine: model, adapters, and how it is held and writes.

`vlm:MODEL::ADAPTER::ADAPTER?dtype=bfloat16&beams=5`; what is put in one name can stand in a
configuration, in a report and on the command line alike. Needs no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from odia_ocr.errors import UsageError
from odia_ocr.recognize.vlm.decoding import VlmDecoding
from odia_ocr.recognize.vlm.placement import Placement
from odia_ocr.recognize.vlm.settings import VlmSettings
from odia_ocr.runtime import find_weights

KIND = "vlm"
TINY = "tiny"
# The shipped model in what leaves this machine; with its colon it can be nobody's name on a hub.
PUBLISHED_TINY = "odia-ocr:tiny"
_SEPARATOR = "::"
_PLACEMENT = ("device", "dtype", "load_in")
_NUMBERS = ("batch", "beams", "nbest", "most", "samples", "top_k", "seed", "height", "max_pixels")
_SHARES = ("temperature", "top_p")
_LIMITED = {"yes": True, "no": False}
_KEYS = (*_PLACEMENT, *_NUMBERS, *_SHARES, "limited", "prompt")


@dataclass(frozen=True, slots=True)
class VlmName:
    """A model with its adapters and settings.

    Attributes:
        base: "tiny", a folder or a hub id.
        adapters: Folders or hub ids; one reads, several read as one.
        placement: Where and how weights are held.
        decoding: How it writes.
        batch: Lines looked at together; 0 takes the usual number.
        prompt: What is asked beside the picture; "" keeps the model's own settings.
        height: Pixels that lines are scaled to, 0 for whole pages; None keeps the model's own.
        max_pixels: Area that larger pictures are scaled down to; 0 keeps the model's own.
    """

    base: str = TINY
    adapters: tuple[str, ...] = ()
    placement: Placement = field(default_factory=Placement)
    decoding: VlmDecoding = field(default_factory=VlmDecoding)
    batch: int = 0
    prompt: str = ""
    height: int | None = None
    max_pixels: int = 0

    def change(self, settings: VlmSettings) -> VlmSettings:
        """The settings of a model or adapter, with what was said in the name.

        Raises:
            ConfigError: If the height or the area is none that a model takes.
        """
        return replace(
            settings,
            prompt=self.prompt or settings.prompt,
            line_height=settings.line_height if self.height is None else self.height,
            max_pixels=self.max_pixels or settings.max_pixels,
        )

    @classmethod
    def parse(cls, model: str) -> VlmName:
        """Read "MODEL::ADAPTER?key=value"; without a model it is the shipped one.

        Raises:
            UsageError: On an unknown key or a value that is none of its.
            ConfigError: On a value out of range.
        """
        names, _, said = model.partition("?")
        base, *adapters = names.split(_SEPARATOR)
        if not all(adapters) or (adapters and not base):
            raise UsageError(
                f"A model or adapter has no name in {model!r}.",
                next_step="Write vlm:BASE or vlm:BASE::ADAPTER, each a folder or a hub id.",
            )
        values: dict[str, str] = dict(parse_qsl(said, keep_blank_values=True))
        unknown = sorted(set(values) - set(_KEYS))
        if unknown:
            raise UsageError(
                f"Unknown settings of a vlm engine: {', '.join(unknown)}.",
                next_step=f"Known: {', '.join(_KEYS)}.",
            )
        numbers = {key: _read_number(key, values[key]) for key in _NUMBERS if key in values}
        beams, nbest = numbers.get("beams", 1), numbers.get("nbest", 1)
        limited = values.get("limited", "yes")
        if limited not in _LIMITED:
            raise UsageError(f"limited of a vlm engine must be yes or no, got {limited!r}.")
        decoding = VlmDecoding(
            beams=max(beams, nbest),
            nbest=nbest,
            most=numbers.get("most", 0),
            samples=numbers.get("samples", 0),
            top_k=numbers.get("top_k", 0),
            seed=numbers.get("seed", 0),
            temperature=_read_share("temperature", values.get("temperature", "1")),
            top_p=_read_share("top_p", values.get("top_p", "1")),
            limited=_LIMITED[limited],
        )
        placed = {key: values[key] for key in _PLACEMENT if key in values}
        made: Any = Placement(**placed)  # type: ignore[arg-type]
        return cls(
            base or TINY,
            tuple(adapters),
            made,
            decoding,
            numbers.get("batch", 0),
            values.get("prompt", ""),
            numbers.get("height"),
            numbers.get("max_pixels", 0),
        )


def compose_engine(
    engine: str,
    *,
    adapters: tuple[str, ...] = (),
    device: str | None = None,
    dtype: str | None = None,
    load_in: str | None = None,
) -> str:
    """An engine's whole name from the options of a command; other engines take none of them.

    Raises:
        UsageError: If options for a vlm engine were given with another one.
    """
    given = {"device": device, "dtype": dtype, "load_in": load_in}
    options = {key: value for key, value in given.items() if value is not None}
    kind, _, model = engine.partition(":")
    if not adapters and not options:
        return engine
    if kind != KIND:
        raise UsageError(
            f"--adapter, --device, --dtype and --load-in are for vlm engines, not for {engine!r}.",
            next_step="Add --engine vlm:MODEL, or leave them out.",
        )
    names, _, said = model.partition("?")
    whole = _SEPARATOR.join([names or TINY, *adapters])
    asked = "&".join(part for part in (said, urlencode(options)) if part)
    return f"{KIND}:{whole}{f'?{asked}' if asked else ''}"


def is_shipped(base: str) -> bool:
    """Whether a name is one of the model that comes with the package."""
    return base in (TINY, PUBLISHED_TINY)


def find_base(base: str) -> Path:
    """The folder of a model; of a hub id a path that does not exist.

    Raises:
        ModelMissingError: If the shipped model is not in this installation.
    """
    if is_shipped(base):
        return find_weights(f"vlm-{TINY}/model", ".safetensors").parent
    return Path(base)


def join_engines(engines: Sequence[str]) -> str:
    """The engine that reads with all adapters of several vlm engines as one.

    Raises:
        UsageError: If they are not vlm engines with adapters for one model.
    """
    parts = [engine.partition(":")[2].partition("?") for engine in engines]
    bases = {names.split(_SEPARATOR)[0] for names, _, _ in parts}
    adapters = [_SEPARATOR.join(names.split(_SEPARATOR)[1:]) for names, _, _ in parts]
    if any(engine.partition(":")[0] != KIND for engine in engines) or len(bases) != 1:
        raise UsageError(
            f"{', '.join(engines)} cannot read as one.",
            next_step="Name vlm engines with adapters for one model.",
        )
    if not all(adapters):
        raise UsageError("An engine without an adapter cannot join those with one.")
    said = parts[0][2]
    whole = _SEPARATOR.join([*bases, *adapters])
    return f"{KIND}:{whole}{f'?{said}' if said else ''}"


def _read_share(key: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise UsageError(f"{key} of a vlm engine must be a number, got {value!r}.") from None


def _read_number(key: str, value: str) -> int:
    if not value.isdigit():
        raise UsageError(f"{key} of a vlm engine must be a whole number, got {value!r}.")
    return int(value)
