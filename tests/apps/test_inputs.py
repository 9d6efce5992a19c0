import pytest

from odia_ocr.apps.inputs import Input, expand_inputs
from odia_ocr.errors import InputError


@pytest.fixture
def folder(tmp_path):
    for name in ["p10.png", "p2.PNG", "p1.jpg", "notes.txt", ".hidden.png", "p1.p0001.overlay.png"]:
        (tmp_path / name).touch()
    for name in ["sub/p1.tif", "out/p1.png", ".git/x.png"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_folders_in_natural_order_without_output_and_hidden(folder):
    found = expand_inputs([str(folder)], output=folder / "out")
    names = [item.path.relative_to(folder).as_posix() for item in found]
    assert names == ["p1.jpg", "p2.PNG", "p10.png", "sub/p1.tif"]
    assert [item.stem for item in found] == ["p1", "p2", "p10", "p1-2"]


def test_files_keep_their_order_and_need_not_exist(folder):
    found = expand_inputs(["b.png", "-", "a.xyz"], output=None)
    assert [item.name for item in found] == ["b.png", "<stdin>", "a.xyz"]
    assert [item.stem for item in found] == ["b", "stdin", "a"]


def test_equal_stems_never_meet_another_files_own():
    found = expand_inputs(["x/a.png", "y/a.png", "a-2.png", "z/A.png"], output=None)
    assert [item.stem for item in found] == ["a", "a-3", "a-2", "A-4"]


def test_pictures_of_other_names_are_told_by_their_content(tmp_path):
    from PIL import Image

    Image.new("L", (9, 9), 255).save(tmp_path / "scan", "PNG")
    Image.new("L", (9, 9), 255).save(tmp_path / "photo.jfif", "JPEG")
    Image.new("L", (9, 9), 255).save(tmp_path / "new", "WEBP")
    (tmp_path / "paper").write_bytes(b"%PDF-1.7")
    (tmp_path / "notes").write_text("PNG and %PDF- in a text")
    found = expand_inputs([str(tmp_path)], output=None)
    assert [item.path.name for item in found] == ["new", "paper", "photo.jfif", "scan"]


def test_an_empty_folder_is_an_error_in_its_place(tmp_path):
    found = expand_inputs([str(tmp_path), "a.png"], output=None)
    assert isinstance(found[0], InputError)
    assert isinstance(found[1], Input)


def test_a_folder_that_may_not_be_read_is_an_error_in_its_place(folder, monkeypatch):
    # Simulated, because the superuser may read everything.
    import os

    real = os.scandir

    def guarded(path="."):
        if str(path).endswith("sub"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", guarded)
    found = expand_inputs([str(folder)], output=folder / "out")
    errors = [item for item in found if isinstance(item, InputError)]
    assert len(found) == 4
    assert len(errors) == 1
    assert "sub: the folder cannot be read: Permission denied." in str(errors[0])
