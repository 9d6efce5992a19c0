"""One error tree. Each class carries its exit status and each error its next step.

Knows nothing of the rest of the package, so every room may raise these.
"""

from __future__ import annotations


class OdiaOcrError(Exception):
    """Root of every error this package raises on purpose.

    Args:
        message: What went wrong, with the offending value.
        next_step: What the person can do about it.

    Attributes:
        code: Short stable identifier, used in `Problem.code` and in JSON.
        exit_code: Exit status of the command when this error ends it.
    """

    code: str = "error"
    exit_code: int = 1

    def __init__(self, message: str, *, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}".strip()

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message, self.next_step))


def _rebuild(kind: type[OdiaOcrError], message: str, next_step: str) -> OdiaOcrError:
    return kind(message, next_step=next_step)


class UsageError(OdiaOcrError):
    """The command or the call was asked for something that does not exist."""

    code = "usage"
    exit_code = 2


class ConfigError(UsageError):
    """A configuration has an unknown key or a value out of range."""

    code = "config"


class InputError(OdiaOcrError):
    """A file given as input cannot be used."""

    code = "input"
    exit_code = 3


class FileMissingError(InputError):
    """The input file or folder does not exist."""

    code = "file-missing"


class PictureError(InputError):
    """A picture is empty, truncated, corrupt or of an unknown kind."""

    code = "picture-unreadable"


class PictureKindError(PictureError):
    """A file is neither a picture of a known kind nor a PDF."""

    code = "not-a-picture"


class PictureTooLargeError(PictureError):
    """A picture has more pixels than the limit allows."""

    code = "picture-too-large"


class OutputError(OdiaOcrError):
    """An output file cannot be written."""

    code = "output"


class ResourceMissingError(OdiaOcrError):
    """Something that should be installed is not: weights, a font, a program, a library."""

    code = "resource-missing"
    exit_code = 3


class ModelMissingError(ResourceMissingError):
    """The weights of a recognizer are missing or not usable."""

    code = "model-missing"


class FontMissingError(ResourceMissingError):
    """No usable font was found for rendering."""

    code = "font-missing"


class EngineMissingError(ResourceMissingError):
    """An outside recognizer (for example Tesseract) is not installed."""

    code = "engine-missing"


class ShapingError(ResourceMissingError):
    """Text cannot be shaped correctly; drawing it would make wrong pictures."""

    code = "shaping"


class RecognitionError(OdiaOcrError):
    """A recognizer failed on a line or broke its contract."""

    code = "recognition"


class WorkerDiedError(RecognitionError):
    """A process that read a page ended in the middle of it."""

    code = "worker-died"


class PageTimeoutError(RecognitionError):
    """A page took longer than it may."""

    code = "page-timeout"


class DataError(OdiaOcrError):
    """A data set is malformed: missing transcription, bad encoding, empty set."""

    code = "data"
    exit_code = 3


class SampleError(DataError):
    """One sample cannot be given to a model: its picture or text does not fit."""

    code = "sample"


def name_choices(name: str, choices: list[str], *, kind: str) -> UsageError:
    """Make the error for an unknown name: the near names and the whole list."""
    import difflib

    near = difflib.get_close_matches(name, choices, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    return UsageError(
        f"Unknown {kind} {name!r}.", next_step=f"{hint}Known: {', '.join(sorted(choices))}."
    )


def name_extra(error: ImportError, extra: str, *, doing: str) -> ResourceMissingError:
    """Make the error for a library that an extra of this package would have installed."""
    return ResourceMissingError(
        f"{doing} needs a library that is not installed: {error.name}.",
        next_step=f"Install it with: pip install 'odia-ocr[{extra}]'.",
    )
