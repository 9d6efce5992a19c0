"""The Space of a model: a folder with a small page on this package, to be run by the hub or here.

The page itself is `space_app.py` of the installed package; the folder holds what starts it, pinned.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from odia_ocr.apps.publish.hub import UploadFile
from odia_ocr.apps.publish.model_folder import ModelFolder
from odia_ocr.errors import OutputError
from odia_ocr.recognize.vlm.naming import TINY
from odia_ocr.runtime import open_session, read_metadata

GRADIO = "6.31.0"  # the release the page was tried with
SHIPPED_ENGINE = "ctc"
SAMPLE = "page.png"


def list_space_files(model: ModelFolder, repo: str, *, licence: str | None) -> list[UploadFile]:
    """The files of a Space.

    An ONNX recognizer is put into it and read with. Adapters and whole models want a GPU, which a
    free Space lacks: there the page reads with the recognizer of the package, and says so.

    Args:
        model: What is published.
        repo: OWNER/NAME of the model.
        licence: Of the model, as the hub names it.
    """
    own = find_recognizer(model)
    link = f"[{repo}](https://huggingface.co/{repo})"
    other = f"the compact recognizer of odia-ocr, not with {link}: {_tell_want(model)}"
    note = f"It reads with {link if own else other}."
    sample = find_sample()
    files = [
        UploadFile("README.md", _write_readme(repo, note, licence).encode()),
        UploadFile("app.py", _write_app(own, sample, note).encode()),
        UploadFile("requirements.txt", _pin().encode()),
    ]
    files += [UploadFile(SAMPLE, sample)] if sample else []
    files += [UploadFile(own.name, own)] if own else []
    return files


def _tell_want(model: ModelFolder) -> str:
    """Why a Space does not read with a model."""
    if model.base_model and not model.hub_base:
        return f"that is for the small model of the package, `vlm:{TINY}`, which wants PyTorch"
    return "that wants a GPU"


def write_space(files: Sequence[UploadFile], folder: Path) -> None:
    """Write the files into a folder, in the place of those of an earlier time.

    Raises:
        OutputError: If they cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            (folder / file.name).write_bytes(file.read())
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written: {error.strerror or error}.",
            next_step="Check the folder and its permissions.",
        ) from error


def find_recognizer(model: ModelFolder) -> Path | None:
    """The ONNX file of a folder that reads lines; None without one.

    Raises:
        ModelMissingError: If an ONNX file is broken.
    """
    if model.kind != "onnx":
        return None
    paths = [model.folder / name for name in model.weights if "-member-" not in name]
    return next((p for p in paths if "alphabet" in read_metadata(open_session(p, threads=1))), None)


def find_sample() -> Path | None:
    """The sample page of a checkout; an installation has none."""
    path = Path(__file__).resolve().parents[4] / "samples" / SAMPLE
    return path if path.is_file() else None


def _pin() -> str:
    return f"odia-ocr[space]=={version('odia-ocr')}\ngradio=={GRADIO}\n"


def _write_app(own: Path | None, sample: Path | None, note: str) -> str:
    engine = f'f"ctc:{{HERE / {own.name!r}}}"' if own else f'"{SHIPPED_ENGINE}"'
    picture = f'HERE / "{SAMPLE}"' if sample else "None"
    return f'''"""Odia OCR to try: a picture in, its text out."""

from pathlib import Path

from odia_ocr.apps.publish.space_app import make_app

HERE = Path(__file__).parent

app = make_app(
    {engine},
    sample={picture},
    note={json.dumps(note)},
)

if __name__ == "__main__":
    app.launch()
'''


def _write_readme(repo: str, note: str, licence: str | None) -> str:
    from huggingface_hub import SpaceCardData

    data = SpaceCardData(
        title="Odia OCR",
        emoji="📜",
        colorFrom="yellow",
        colorTo="red",
        sdk="gradio",
        sdk_version=GRADIO,
        app_file="app.py",
        license=licence,
        models=[repo],
        tags=["ocr", "odia"],
    )
    return f"""---
{data.to_yaml()}
---

# Odia OCR

A picture of printed Odia in, Unicode text out. {note}

To run it on your own machine: `pip install -r requirements.txt`, then `python app.py`.
"""
