from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from odia_ocr.campaign.cache import Kept, Store, digest_code, digest_key
from odia_ocr.data.sets.out_files import write_whole
from odia_ocr.errors import OutputError


class Work:
    """Counts how often something is computed."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> Kept:
        self.times += 1
        return Kept({"values": np.arange(3)}, {"seconds": 1.5})


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def store(tmp_path: Path, said: list[str]) -> Store:
    return Store(tmp_path / "steps", said.append)


def test_a_thing_is_computed_once(store: Store, said: list[str]) -> None:
    work = Work()
    first = store.keep({"step": "a"}, work, code="1")
    second = store.keep({"step": "a"}, work, code="1")
    assert work.times == 1
    assert second.facts == first.facts == {"seconds": 1.5}
    assert second.arrays["values"].tolist() == [0, 1, 2]
    store.keep({"step": "b"}, work, code="1")
    assert work.times == 2
    assert said == []


def test_what_other_code_made_is_computed_again_with_a_note(store: Store, said: list[str]) -> None:
    work = Work()
    store.keep({"step": "a"}, work, code="1")
    store.keep({"step": "a"}, work, code="2")
    store.keep({"step": "a"}, work, code="2")
    assert work.times == 2
    assert len(said) == 1
    assert "another code" in said[0]


def test_another_version_of_the_program_is_not_trusted(
    store: Store, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work()
    store.keep({"step": "a"}, work, code="1")
    monkeypatch.setattr("odia_ocr.campaign.cache.version", lambda name: "99.0")
    store.keep({"step": "a"}, work, code="1")
    assert work.times == 2
    assert "another version" in said[0]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"not a cache at all"])
def test_a_damaged_file_is_computed_again_with_a_note(
    store: Store, said: list[str], content: bytes
) -> None:
    work = Work()
    store.keep({"step": "a"}, work, code="1")
    (file,) = store.folder.iterdir()
    file.write_bytes(content)
    assert store.keep({"step": "a"}, work, code="1").arrays["values"].tolist() == [0, 1, 2]
    assert work.times == 2
    assert "cannot be read" in said[0]


def test_a_full_disk_is_told_once_and_costs_only_the_cache(
    store: Store, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    work = Work()
    for step in "aab":
        assert store.keep({"step": step}, work, code="1").facts == {"seconds": 1.5}
    assert work.times == 3
    assert len(said) == 1
    assert "No space left on device" in said[0]
    assert list(store.folder.iterdir()) == [], "no half-written file stays"


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new" / "file.json"
    write_whole(path, b"old")

    def stop(descriptor: int) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(OutputError, match=r"file\.json cannot be written: broken"):
        write_whole(path, b"new content")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in path.parent.iterdir()] == ["file.json"]


def test_keys_do_not_depend_on_the_order_of_their_values() -> None:
    assert digest_key({"a": 1, "b": 2}) == digest_key({"b": 2, "a": 1})
    assert digest_key({"a": 1}) != digest_key({"a": 2})


def test_code_is_named_by_what_it_is() -> None:
    assert digest_code(("fuse",)) != digest_code(("fuse", "types.py"))
