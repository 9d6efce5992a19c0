"""What a person wants published becomes the files of a repository: model, card and results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from odia_ocr.apps.publish.card import CardFacts, make_card, name_engine
from odia_ocr.apps.publish.figures import read_figures, strip_texts
from odia_ocr.apps.publish.hub import Upload, UploadFile
from odia_ocr.apps.publish.local_paths import refuse_local_paths
from odia_ocr.apps.publish.model_folder import NOTES, RESULTS, ModelFolder
from odia_ocr.apps.publish.secret_check import refuse_secrets
from odia_ocr.apps.publish.space import list_space_files
from odia_ocr.errors import FileMissingError
from odia_ocr.recognize.vlm.naming import PUBLISHED_TINY

MESSAGE = "Upload by odia-ocr"
CARD = "README.md"
OWN_LICENCE = "apache-2.0"  # of what this package trains from nothing


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to be said about a model beside what its folder says.

    Attributes:
        repo: OWNER/NAME.
        results: File of results; None is evaluation_results.json of the folder.
        engine: What the results call the model; None is their first engine.
        licence: As the hub names it; None is `OWN_LICENCE` for ONNX and on the shipped model, else
            that of the base model.
        datasets: Names on the hub of what it was trained on.
        notes: Markdown file on training and data; None is model.md of the folder, where there.
        private: Nobody else may see it.
    """

    repo: str
    results: Path | None = None
    engine: str | None = None
    licence: str | None = None
    datasets: tuple[str, ...] = ()
    notes: Path | None = None
    private: bool = False

    def choose_licence(self, model: ModelFolder) -> str | None:
        """The licence to write down; None where only the base model's page knows."""
        own = model.kind == "onnx" or model.base_model == PUBLISHED_TINY
        return self.licence or (OWN_LICENCE if own else None)


def plan_model(model: ModelFolder, wishes: Wishes) -> Upload:
    """The repository of a model.

    Raises:
        FileMissingError: If results or notes are missing; says how to make them.
        DataError: If results cannot be used, or a secret or a path of this machine would go up.
        UsageError: If the results do not know the engine.
    """
    results = wishes.results or model.folder / RESULTS
    figures = read_figures(
        results,
        engine=wishes.engine,
        models=[Path(name).stem for name in model.weights],
        how=_tell_how(model, results),
    )
    card = make_card(
        CardFacts(
            repo=wishes.repo,
            model=model,
            figures=tuple(figures),
            licence=wishes.choose_licence(model),
            datasets=wishes.datasets,
            notes=_read_notes(wishes.notes, model.folder / NOTES),
        )
    )
    files = (
        UploadFile(CARD, str(card).encode()),
        UploadFile(RESULTS, strip_texts(results)),
        *(UploadFile(name, model.read(name)) for name in model.files),
    )
    refuse_secrets(files)
    refuse_local_paths(files, model.folder)
    return Upload(wishes.repo, "model", files, MESSAGE, wishes.private)


def plan_space(model: ModelFolder, wishes: Wishes) -> Upload:
    """The Space of a model.

    Raises:
        ModelMissingError: If an ONNX file is broken.
        DataError: If a path of this machine would go up.
    """
    files = list_space_files(model, wishes.repo, licence=wishes.choose_licence(model))
    refuse_local_paths(files, model.folder)
    return Upload(wishes.repo, "space", tuple(files), MESSAGE, wishes.private)


def _tell_how(model: ModelFolder, results: Path) -> str:
    engines = {
        "onnx": f"ctc:{model.folder / model.weights[0]}",
        "model": f"vlm:{model.folder}",
        "adapter": f"{name_engine(model)} --adapter {model.folder}",
    }
    return (
        f"Measure it: odia-ocr evaluate SET --engine {engines[model.kind]} --json {results}, or"
        " name a file with --results."
    )


def _read_notes(asked: Path | None, usual: Path) -> str:
    path = asked or usual
    try:
        return path.read_text("utf-8")
    except OSError as error:
        if asked is None and isinstance(error, FileNotFoundError):
            return ""
        raise FileMissingError(
            f"The notes {path} cannot be read: {error.strerror}.", next_step="Check the path."
        ) from error
