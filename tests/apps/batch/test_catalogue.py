from __future__ import annotations

import fsspec
import pytest

from odia_ocr.apps.batch.catalogue import Source, fetch, list_sources
from odia_ocr.errors import InputError, ResourceMissingError, UsageError


def names(inputs, output):
    return [
        source.name if isinstance(source, Source) else source.code
        for source in list_sources(inputs, output=output)
    ]


@pytest.fixture
def scans(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("in/p-10.png", "in/p-2.png", "in/deep/a.pdf", "in/out/x.png", "in/notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("?")
    return tmp_path


def test_folders_globs_and_lists_each_document_once(scans):
    (scans / "list").write_text("in/p-10.png\n\n  in/deep \nin/*.png\n", "utf-8")
    out = scans / "in" / "out"
    assert names(["in"], out) == ["in/p-2.png", "in/p-10.png", "in/deep/a.pdf"]
    assert names(["@list", "in/p-2.png"], out) == ["in/p-10.png", "in/deep/a.pdf", "in/p-2.png"]
    assert names(["in/**/*.pdf"], out) == ["in/deep/a.pdf"]


def test_what_is_not_there_is_told_in_its_place(scans):
    (scans / "empty").mkdir()
    missing = ["@nolist", "nothing-*.png", "empty", "memory://nowhere/x.png"]
    assert names([*missing, "in/p-2.png"], scans / "out") == [
        "file-missing",
        "input",
        "input",
        "file-missing",
        "in/p-2.png",
    ]


def test_standard_input_and_unknown_libraries(tmp_path):
    with pytest.raises(UsageError, match="standard input"):
        names(["-"], tmp_path)
    with pytest.raises(ResourceMissingError, match="not installed"):
        names(["gs://bucket/x.png"], tmp_path)


def test_addresses(tmp_path):
    memory = fsspec.filesystem("memory")
    memory.pipe({"/scans/b/2.png": b"two", "/scans/1.png": b"one", "/scans/readme.md": b"?"})
    try:
        assert names(["memory://scans"], tmp_path) == [
            "memory:///scans/1.png",
            "memory:///scans/b/2.png",
        ]
        assert names(["memory://scans/*.png"], tmp_path) == ["memory:///scans/1.png"]
        fetch("memory:///scans/b/2.png", tmp_path / "2")
        assert (tmp_path / "2").read_bytes() == b"two"
        with pytest.raises(InputError, match="cannot be fetched"):
            fetch("memory:///scans/gone.png", tmp_path / "3")
    finally:
        memory.rm("/scans", recursive=True)
