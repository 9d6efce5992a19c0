"""The folder that a command writes into, before it does."""

from __future__ import annotations

from pathlib import Path

from odia_ocr.errors import OutputError


def check_folder(out: Path, *, force: bool) -> None:
    """Refuse an output that is no folder, or that holds files while `force` is not given.

    Raises:
        OutputError: If files cannot or shall not be written there.
    """
    try:
        filled = out.exists() and any(out.iterdir())
    except OSError as error:
        raise OutputError(
            f"Cannot write into {out}: {error.strerror or error}.",
            next_step="Give -o a folder, new or empty.",
        ) from error
    if filled and not force:
        raise OutputError(f"{out} is not empty.", next_step="Choose another folder or use --force.")


def refuse_file(out: Path, what: str = "run") -> None:
    """Refuse an output that is a file.

    Raises:
        OutputError: If it is.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is not a folder.", next_step=f"Give -o a folder for the {what}.")
