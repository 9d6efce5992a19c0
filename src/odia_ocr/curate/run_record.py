"""The record of a run that is taken up again: one JSON file, written whole or not at all.

Knows the file; what stands in it, beside the number of its schema, is the matter of the run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from odia_ocr.data.sets.out_files import write_whole
from odia_ocr.errors import DataError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SCHEMA = 1
State = TypeVar("State")


def read_record(path: Path, make: Callable[[Mapping[str, Any]], State]) -> State | None:
    """Where a run stands; None where none was begun.

    Args:
        path: The file.
        make: Makes a state of the values that `write_record` wrote; a ValueError, KeyError or
            TypeError says that they are none.

    Raises:
        DataError: If the record is malformed.
    """
    if not path.exists():
        return None
    try:
        return make(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} cannot be read ({error}).", next_step="Begin in another folder."
        ) from None


def write_record(path: Path, state: DataclassInstance) -> None:
    """Put on record where a run stands.

    Raises:
        OutputError: If it cannot be written.
    """
    record = {"schema": SCHEMA, **asdict(state)}
    write_whole(path, f"{json.dumps(record, ensure_ascii=False, indent=1)}\n".encode())
