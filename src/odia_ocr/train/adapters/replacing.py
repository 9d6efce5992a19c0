"""A folder is written whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from odia_ocr.errors import OutputError


@contextmanager
def replace_folder(out: Path, *, sources: Sequence[Path]) -> Iterator[Path]:
    """A new folder beside `out`; what is in it moves into `out` when all went well.

    Weights that were in `out` go: with new ones beside them they would be read together. Other
    files of other names stay.

    Raises:
        OutputError: If `out` is one of `sources`, or cannot be written.
    """
    from safetensors import SafetensorError

    if any(out.resolve() == source.resolve() for source in sources):
        raise OutputError(f"{out} is read from.", next_step="Choose another folder with -o.")
    made = out.parent / f".{out.name}.{os.getpid()}"
    try:
        made.mkdir(parents=True)
        yield made
        _move(made, out)
    except (OSError, SafetensorError) as error:  # a full disk is either
        raise OutputError(
            f"Cannot write {out}: {getattr(error, 'strerror', None) or error}.",
            next_step="Give -o a folder, new or empty, on a disk with room.",
        ) from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _move(made: Path, out: Path) -> None:
    if not out.exists():
        made.rename(out)
        return
    for path in (*out.glob("*.safetensors"), *out.glob("*.safetensors.index.json")):
        path.unlink()
    for path in made.iterdir():
        path.replace(out / path.name)
