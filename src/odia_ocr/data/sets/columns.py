"""Which column of a table holds what: told by the user, by a known data set, or by usual names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from odia_ocr.errors import DataError, UsageError

_USUAL_IMAGES = ("image", "img", "picture", "image_path", "file_name", "path")
_USUAL_TEXTS = (
    "text",
    "gt_text",
    "extracted_text",
    "transcription",
    "ground_truth",
    "ocr_text",
    "label",
    "sentence",
)


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns; an empty one is found by its usual names.

    Attributes:
        image: The picture: a struct of bytes and path, bytes, or a path.
        text: What stands there.
        source: What it comes from.
        id: Its name.
    """

    image: str = ""
    text: str = ""
    source: str = ""
    id: str = ""

    def find_in(self, names: Sequence[str], *, where: str) -> Columns:
        """The columns of a table that has these `names`.

        Raises:
            DataError: If a column is missing; the message lists those there are.
        """
        return Columns(
            image=_find("image", self.image, _USUAL_IMAGES, names, where),
            text=_find("text", self.text, _USUAL_TEXTS, names, where),
            source=_find_optional("source", self.source, names, where),
            id=_find_optional("id", self.id, names, where),
        )


# Public Odia sets whose layout is known.
PRESETS = {
    "shantipriya/odia-ocr-merged": Columns(image="image", text="text"),
    "OdiaGenAIOCR/odia-ocr-merged": Columns(image="image", text="text"),
    "OdiaGenAIOCR/Odia-lipi-ocr-data": Columns(image="image", text="text"),
    "OdiaGenAIOCR/synthetic_data": Columns(image="image", text="extracted_text"),
}
_ROLES = ("image", "text", "source", "id")


def parse_columns(said: str) -> Columns:
    """Read "image=img,text=label", or the name of a known data set.

    Raises:
        UsageError: If it is neither; the message says what may be written.
    """
    if said in PRESETS:
        return PRESETS[said]
    named: dict[str, str] = {}
    for part in said.split(","):
        role, _, column = (piece.strip() for piece in part.partition("="))
        if role not in _ROLES or not column:
            raise UsageError(
                f"--columns {said!r} is not understood at {part.strip()!r}.",
                next_step=f"Write image=COLUMN,text=COLUMN (also source=, id=), or one of: "
                f"{', '.join(PRESETS)}.",
            )
        named[role] = column
    return Columns(**named)


def _find(role: str, said: str, usual: Sequence[str], names: Sequence[str], where: str) -> str:
    if said:
        return _find_optional(role, said, names, where)
    found = next((name for name in usual if name in names), None)
    if found is None:
        raise DataError(
            f"{where} has no column for the {role}; its columns are: {', '.join(names)}.",
            next_step=f"Name it: --columns {role}=COLUMN.",
        )
    return found


def _find_optional(role: str, said: str, names: Sequence[str], where: str) -> str:
    if said and said not in names:
        raise DataError(
            f"{where} has no column {said!r}; its columns are: {', '.join(names)}.",
            next_step=f"Name another: --columns {role}=COLUMN.",
        )
    return said or (role if role in names else "")
