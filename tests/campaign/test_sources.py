"""What stacks fuse: its cost is of what reading would do, not of what the campaign keeps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from line_folders import write_folder

from odia_ocr.campaign.cache import Store
from odia_ocr.campaign.config import SetOrder
from odia_ocr.campaign.cost import Cost
from odia_ocr.campaign.engines import Engines
from odia_ocr.campaign.sets import Bench, open_bench
from odia_ocr.campaign.sources import Emitted, SourceReader
from odia_ocr.campaign.stack import Stack
from odia_ocr.types import Candidates

BEAM = Stack(("ctc",), decode="beam", nbest=4)
JOINT = replace(BEAM, versions=("as-is", "wide"), combine="joint")
EMITTING = 1000.0  # seconds that each view is said to take; decoding takes far less


def test_a_joint_reading_costs_the_other_views_on_doubtful_lines_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = open_bench(SetOrder(folder=str(write_folder(tmp_path / "lines", 0, 8))), tmp_path)
    reader = SourceReader(Engines(1), Store(tmp_path / "steps", pytest.fail))
    emit = SourceReader.emit

    def emit_slowly(
        self: SourceReader, name: str, version: str, threads: int, bench: Bench
    ) -> Emitted:
        return replace(emit(self, name, version, threads, bench), cost=Cost(EMITTING))

    monkeypatch.setattr(SourceReader, "emit", emit_slowly)
    (alone,) = reader.find(BEAM, bench)
    posteriors = []
    for outcome in alone.outcomes:
        assert isinstance(outcome, Candidates)
        posteriors.append(outcome.best.posterior or 0.0)
    level = sorted(posteriors)[len(posteriors) // 2]
    doubtful = sum(posterior < level for posterior in posteriors)
    assert 0 < doubtful < len(posteriors)
    for sure, shown in ((0.0, 0), (level, doubtful), (2.0, len(posteriors))):
        monkeypatch.setattr("odia_ocr.campaign.sources._SURE", sure)
        (joint,) = reader.find(JOINT, bench)
        extra = EMITTING * shown / len(posteriors)
        assert joint.cost.seconds == pytest.approx(EMITTING + extra, abs=10.0)
        kept = [a == b for a, b in zip(joint.outcomes, alone.outcomes, strict=True)]
        assert kept == [posterior >= sure for posterior in posteriors]
