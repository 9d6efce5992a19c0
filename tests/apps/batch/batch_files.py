"""What a batch is given and what it leaves, as tests look at it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

LEFT_OUT = {"manifest.sqlite", "manifest.sqlite-wal"}


def put(folder, *names):
    paths = [folder / "in" / name for name in names]
    for path in paths:
        path.write_bytes(b"%PDF-")
    return paths


def outputs(out):
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and path.name not in LEFT_OUT
    }


def states(out):
    with sqlite3.connect(out / "manifest.sqlite") as database:
        rows = database.execute(
            "SELECT name, number, pages.state FROM pages JOIN documents ON id = document"
        ).fetchall()
    database.close()
    return {(Path(name).name, number): state for name, number, state in rows}


def summary(out):
    return json.loads((out / "summary.json").read_text("utf-8"))


def done_pages(log):
    return sum(path.stat().st_size for path in log.iterdir())
