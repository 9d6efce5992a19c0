"""Where and how the weights of a vision-language model are held. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from odia_ocr.errors import ConfigError

Bits = Literal["", "4bit", "8bit"]
_DTYPES = ("auto", "float32", "bfloat16", "float16")


def check_dtype(name: str) -> None:
    """Refuse the name of a kind of number that weights are not held in.

    Raises:
        ConfigError: The message lists the known ones.
    """
    if name not in _DTYPES:
        raise ConfigError(f"dtype must be one of {', '.join(_DTYPES)}, got {name!r}.")


@dataclass(frozen=True, slots=True)
class Placement:
    """Where and how weights are held.

    Attributes:
        device: "auto", "cpu", "cuda" or "cuda:1".
        dtype: "auto", "float32", "bfloat16" or "float16"; auto takes what the settings of the
            model say, else float32 on a CPU, and elsewhere that of the file.
        load_in: "4bit" or "8bit" quantises while loading, with bitsandbytes.
    """

    device: str = "auto"
    dtype: str = "auto"
    load_in: Bits = ""

    def __post_init__(self) -> None:
        check_dtype(self.dtype)
        if self.load_in not in ("", "4bit", "8bit"):
            raise ConfigError(f"load-in must be 4bit or 8bit, got {self.load_in!r}.")
