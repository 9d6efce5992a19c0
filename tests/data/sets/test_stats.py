"""Statistics count what is there, in one pass."""

from __future__ import annotations

from pathlib import Path

import pytest
from set_samples import TEXTS, make_sample

from odia_ocr.data.sets.formats import open_set
from odia_ocr.data.sets.picture_folder import write_pairs
from odia_ocr.data.sets.stats import SHOWN, describe, draw_plots, draw_sheet, gather_stats
from odia_ocr.language import split_clusters


def gather(folder: Path, **options):
    told: list[str] = []
    stats = gather_stats(
        [open_set(folder)], tell=lambda name, problem: told.append(problem.code), **options
    )
    return stats, told


def test_everything_is_counted(tmp_path: Path) -> None:
    samples = [make_sample(i, source=f"book{i % 2}") for i in range(6)]
    samples.append(make_sample(6, "ଏକ ☺ ଦୁଇ", source="book0"))
    write_pairs([*samples, make_sample(0, id="again", source="book0")], tmp_path)
    (tmp_path / "line1.png").write_bytes(b"no")
    stats, told = gather(tmp_path)
    assert (stats.lines, stats.texts, told) == (7, 6, ["not-a-picture"])
    assert stats.sources == {"book0": 5, "book1": 2}
    assert stats.outside == {"☺": 1}
    assert "ଔ" in stats.unused
    assert "ର" not in stats.unused
    assert sorted(stats.lengths)[-1] == len(split_clusters(TEXTS[0]))
    record = stats.to_json()
    assert record["width_px"] == describe([160] * 7)
    assert record["problems"] == {"not-a-picture": 1}
    assert record["characters"]["ର"] == "".join(s.text for s in samples if s.id != "line1").count(
        "ର"
    ) + TEXTS[0].count("ର")


def test_a_random_few_are_shown_the_same_for_a_seed(tmp_path: Path) -> None:
    write_pairs([make_sample(i, id=f"l{i:03d}") for i in range(60)], tmp_path)
    shown = [[line.id for line in gather(tmp_path, seed=seed)[0].shown] for seed in (1, 1, 2)]
    assert shown[0] == shown[1] != shown[2]
    assert len(set(shown[0])) == SHOWN


def test_sheets_and_plots_are_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    write_pairs([make_sample(i) for i in range(4)], tmp_path)
    stats, _ = gather(tmp_path)
    sheet = draw_sheet(stats.shown)
    assert sheet.width > 3 * 460
    assert sheet.convert("L").getextrema()[0] < 20
    plots = draw_plots(stats)
    assert len(plots) == 3
    assert all(svg.startswith("<svg") for svg in plots.values())
