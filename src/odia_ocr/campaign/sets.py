"""The lines of a campaign: labelled folders, and rendered sets that are drawn once and kept.

A rendered set is a folder like any other, so both are read, checked and named by the same code.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from odia_ocr.campaign.cache import digest_code, digest_key
from odia_ocr.campaign.config import SetOrder
from odia_ocr.data.faces import find_faces, group_families
from odia_ocr.data.lines import LineRenderer, RenderedLine, make_renderer, render_lines
from odia_ocr.data.render_folder import write_rendered
from odia_ocr.data.reporting import SETS
from odia_ocr.errors import DataError, InputError, OutputError, name_choices
from odia_ocr.evaluate.lineset import LineSample, LineSet, read_line_set
from odia_ocr.types import LineImage, Problem

_SEED_STEP = 1000  # between families, as in the published sets
_NEEDED = 2  # a paired interval over one line says nothing


@dataclass(frozen=True, slots=True)
class Bench:
    """A set that is ready to be read.

    Attributes:
        name: How reports call it.
        samples: Lines whose pictures can be decoded, in order.
        digest: Of names, transcriptions and pictures.
        references: Digest of names and transcriptions alone, as scores are signed with.
        problems: What was left out.
    """

    name: str
    samples: tuple[LineSample, ...]
    digest: str
    references: str
    problems: tuple[Problem, ...]

    @property
    def texts(self) -> list[str]:
        """Transcriptions, in order."""
        return [sample.text for sample in self.samples]

    def load(self, start: int, stop: int) -> list[LineImage]:
        """Decode some pictures."""
        return [sample.load() for sample in self.samples[start:stop]]


def open_bench(order: SetOrder, cache: Path) -> Bench:
    """Read a folder, or draw a rendered set when the cache does not hold it.

    Raises:
        FileMissingError: If the folder does not exist.
        DataError: If it holds fewer than two usable lines; the message names what is wrong.
        OutputError: If a rendered set cannot be written.
        FontMissingError: If the faces of a rendered set are missing.
    """
    folder = Path(order.folder) if order.folder else _draw_set(order, cache)
    line_set = read_line_set(folder, skip=True)
    samples: list[LineSample] = []
    problems = list(line_set.problems)
    content = hashlib.sha256()
    for sample in line_set.samples:
        try:
            sample.load()
        except InputError as error:
            message = f"{error.message} It is left out."
            problems.append(Problem(error.code, message, error.next_step, line_id=sample.name))
            continue
        samples.append(sample)
        picture = hashlib.sha256(sample.picture.read_bytes()).hexdigest()
        content.update(f"{sample.name}\t{sample.text}\t{picture}\n".encode())
    if len(samples) < _NEEDED:
        raise DataError(
            f"{line_set.folder} holds {len(samples)} usable line(s); a campaign needs {_NEEDED}.",
            next_step="Add lines: an interval over a single line says nothing.",
        )
    kept = LineSet(line_set.folder, tuple(samples))
    name = f"{order.name} ({len(samples)} lines)"
    return Bench(name, kept.samples, content.hexdigest()[:12], kept.digest, tuple(problems))


def _draw_set(order: SetOrder, cache: Path) -> Path:
    """The folder of a rendered set, drawn when it is not there."""
    key = {**asdict(order), "version": version("odia-ocr"), "code": digest_code(("data",))}
    folder = cache / "sets" / digest_key(key)
    if folder.is_dir():
        return folder
    renderers = _make_renderers(order)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=folder.parent, prefix="part-"))
    except OSError as error:
        raise OutputError(f"Cannot write into {folder.parent}: {error.strerror}.") from error
    try:
        write_rendered(_draw_lines(renderers, order.lines_per_family), part)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _draw_lines(renderers: Sequence[LineRenderer], count: int) -> Iterator[RenderedLine]:
    for renderer in renderers:
        yield from render_lines(renderer, count)


def _make_renderers(order: SetOrder) -> list[LineRenderer]:
    """One for each family; with its own seed and split "report" the published set goes on."""
    if order.recipe not in SETS:
        raise name_choices(order.recipe, list(SETS), kind="reporting recipe")
    chosen = SETS[order.recipe]
    seed = chosen.seed if order.seed is None else order.seed
    held = tuple(face for face in find_faces() if face.heldout and face.odia)
    families = list(enumerate(group_families(held)))
    if order.families:
        names = [family[0].family for _, family in families]
        for name in order.families:
            if name not in names:
                raise name_choices(name, names, kind="held-out family")
        families = [pair for pair in families if pair[1][0].family in order.families]
    return [
        make_renderer(
            split=order.split,
            seed=seed + _SEED_STEP * i,
            recipe=chosen.recipe,
            mix=chosen.mix,
            faces=family,
        )
        for i, family in families
    ]
