"""Rendered lines on disk: NNNNNN.png, NNNNNN.gt.txt and metadata.jsonl, flat in one folder."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from odia_ocr.data.lines import RenderedLine
from odia_ocr.data.texts import (
    SHIPPED,
    NearCopies,
    Split,
    TextPool,
    load_pool,
    read_text_lines,
    split_lines,
)
from odia_ocr.errors import DataError, OutputError
from odia_ocr.language import ALPHABET, find_unknown, normalise


def open_text_pool(path: Path, split: Split = "train") -> TextPool:
    """A pool of the lines of one text file that fit the alphabet.

    For "train" held-out lines and near-copies of the shipped ones are left out: see
    `odia_ocr.data.texts`. In held-out faces, which no training takes, any text may be drawn.

    Raises:
        DataError: If no line can be drawn; the message says what is in the way.
    """
    raw = read_text_lines(path)
    chosen = raw
    if split == "train":
        chosen = split_lines(raw, split, NearCopies(read_text_lines(SHIPPED / "heldout.txt")))
    lines = [normalise(line) for line in chosen]
    usable = tuple(line for line in lines if line and all(char in ALPHABET for char in line))
    if not usable:
        unknown = " ".join(char for char, _ in find_unknown(raw).most_common(5)) or "none"
        raise DataError(
            f"No usable line in {path}: {len(raw)} lines, {len(raw) - len(chosen)} of them held "
            f"out; characters outside the alphabet: {unknown}.",
            next_step="Give a UTF-8 file of Odia text, one line each, or another --split.",
        )
    words = tuple(dict.fromkeys(word for line in usable for word in line.split(" ")))
    return TextPool(usable, words, load_pool(split).latin)


def write_rendered(lines: Iterable[RenderedLine], out: Path) -> int:
    """Write lines into `out`; returns how many.

    Raises:
        OutputError: If the folder cannot be written.
    """
    count = 0
    try:
        out.mkdir(parents=True, exist_ok=True)
        with (out / "metadata.jsonl").open("w", encoding="utf-8") as metadata:
            for count, line in enumerate(lines, start=1):
                name = f"{count - 1:06d}"
                Image.fromarray(line.pixels).save(out / f"{name}.png")
                (out / f"{name}.gt.txt").write_text(line.text + "\n", encoding="utf-8")
                row = {
                    "file": f"{name}.png",
                    "text": line.text,
                    "face": line.face,
                    "family": line.family,
                    "kind": line.kind,
                    "degradation": list(line.degradation),
                }
                metadata.write(json.dumps(row, ensure_ascii=False) + "\n")
    except OSError as error:
        raise OutputError(
            f"Cannot write into {out}: {error.strerror or error}.",
            next_step="Check the folder's permissions and the free space.",
        ) from error
    return count
