"""Rendered pages on disk: NNNNNN.png, .gt.txt, .json and metadata.jsonl, flat in one folder."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from odia_ocr.data.page_truth import RenderedPage
from odia_ocr.errors import OutputError


def write_pages(pages: Iterable[RenderedPage], out: Path) -> int:
    """Write pages into `out`; returns how many.

    `NNNNNN.gt.txt` has one printed line a line and a blank line between regions, in reading order;
    `NNNNNN.json` is `RenderedPage.to_json`.

    Raises:
        OutputError: If the folder cannot be written.
    """
    count = 0
    try:
        out.mkdir(parents=True, exist_ok=True)
        with (out / "metadata.jsonl").open("w", encoding="utf-8") as metadata:
            for count, page in enumerate(pages, start=1):
                name = f"{count - 1:06d}"
                Image.fromarray(page.pixels).save(out / f"{name}.png", compress_level=3)
                (out / f"{name}.gt.txt").write_text(page.text + "\n", encoding="utf-8")
                truth = json.dumps(page.to_json(), ensure_ascii=False, separators=(",", ":"))
                (out / f"{name}.json").write_text(truth + "\n", encoding="utf-8")
                row = {
                    "file": f"{name}.png",
                    "layout": page.layout,
                    "condition": page.condition,
                    "lines": len(page.lines),
                    "faces": list(page.faces),
                    "families": list(page.families),
                    "degradation": list(page.degradation),
                }
                metadata.write(json.dumps(row, ensure_ascii=False) + "\n")
    except OSError as error:
        raise OutputError(
            f"Cannot write into {out}: {error.strerror or error}.",
            next_step="Check the folder's permissions and the free space.",
        ) from error
    return count
