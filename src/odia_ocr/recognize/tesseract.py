"""Tesseract as a recognizer: today's peer, and a second opinion.

Runs the `tesseract` program of the system, one process for all lines of a call; knows its models'
names, its TSV output and what Debian calls the packages. Refuses to know how lines were found.
"""

from __future__ import annotations

import functools
import math
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from odia_ocr.errors import EngineMissingError, RecognitionError
from odia_ocr.language import normalise
from odia_ocr.types import (
    Candidates,
    Hypothesis,
    Line,
    LineImage,
    Page,
    PageImage,
    Polygon,
    Problem,
    Reading,
    Region,
    Symbol,
    Word,
)

if TYPE_CHECKING:
    from odia_ocr.types import Pixels

DEFAULT_MODEL = "Oriya"
PSM_LINE = 7
PSM_PAGE = 3
LINE_SECONDS = 10.0
START_SECONDS = 60.0
PAGE_SECONDS = 600.0

# Tesseract prints 0 for some words it read well, so its confidences cannot mean impossible.
_FLOOR = 1e-3
# Outside of it the program holds a resolution for a mistake, and guesses.
_DPI_RANGE = (70.0, 2400.0)
_PACKAGES = {"Oriya": "tesseract-ocr-script-orya", "osd": "tesseract-ocr"}
_ROW_REGION, _ROW_LINE, _ROW_WORD = 2, 4, 5


@dataclass(frozen=True, slots=True)
class TsvRow:
    """One row of Tesseract's TSV.

    Attributes:
        level: 1 page, 2 block, 3 paragraph, 4 line, 5 word.
        page: From 1.
        place: (block, paragraph, line) numbers, each from 1; 0 above that level.
        box: (left, top, right, bottom) in pixels of the picture.
        confidence: 0..1, or None on rows that are no words.
        text: Of a word; else empty.
    """

    level: int
    page: int
    place: tuple[int, int, int]
    box: tuple[int, int, int, int]
    confidence: float | None
    text: str


@dataclass(frozen=True, slots=True)
class TesseractProgram:
    """An installed `tesseract` and the model it shall use.

    Attributes:
        path: The program.
        version: As it prints it, e.g. "5.3.0".
        model: What goes behind `-l`, e.g. "script/Oriya+eng".
    """

    path: str
    version: str
    model: str

    def run(
        self,
        pictures: Sequence[Pixels],
        *,
        psm: int,
        timeout: float,
        dpi: float | None = None,
    ) -> list[TsvRow]:
        """Read pictures in one process and return the rows of all pages.

        Args:
            pictures: uint8, (height, width) or (height, width, 3).
            psm: Page segmentation mode, 7 for a line, 3 for a page.
            timeout: In seconds.
            dpi: Dots per inch of the pictures, which their files do not carry; None lets it guess.

        Raises:
            RecognitionError: When the process fails, is killed or takes longer than `timeout`.
        """
        with tempfile.TemporaryDirectory(prefix="odia-ocr-") as name:
            folder = Path(name)
            paths = [folder / f"{i:06}.pnm" for i in range(len(pictures))]
            for path, pixels in zip(paths, pictures, strict=True):
                _write_pnm(path, pixels)
            listing = folder / "list.txt"
            listing.write_text("".join(f"{path}\n" for path in paths), encoding="utf-8")
            command = [self.path, str(listing), str(folder / "out"), "-l", self.model]
            command += ["--psm", str(psm), "-c", "tessedit_create_tsv=1"]
            if dpi is not None and _DPI_RANGE[0] <= dpi <= _DPI_RANGE[1]:
                command += ["--dpi", str(round(dpi))]
            try:
                done = subprocess.run(
                    command,
                    env={**os.environ, "OMP_THREAD_LIMIT": "1"},
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=timeout,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise RecognitionError(f"Tesseract took longer than {timeout:g} s.") from None
            except OSError as error:
                raise RecognitionError(f"Tesseract could not be started: {error}.") from error
            if done.returncode != 0:
                said = done.stderr.decode("utf-8", "replace").strip().splitlines()
                chatter = ("Page ", "Warning", "Error during processing")
                reason = next((s for s in said if not s.startswith(chatter)), "no reason given")
                raise RecognitionError(f"Tesseract ended with {done.returncode}: {reason}")
            output = folder / "out.tsv"
            if not output.exists():
                raise RecognitionError("Tesseract wrote no result.")
            return parse_tsv(output.read_text(encoding="utf-8", errors="replace"))


@dataclass(frozen=True, slots=True)
class TesseractLines:
    """Reads line pictures with `--psm 7`.

    Attributes:
        name: "tesseract", or "tesseract:MODEL" for a model other than the default.
        program: What runs.
    """

    name: str
    program: TesseractProgram

    def read(self, lines: Sequence[LineImage]) -> list[Candidates | Problem]:
        """Read all lines in one process; when it fails, find the lines it fails on."""
        if not lines:
            return []
        try:
            return list(self._read_together(lines))
        except RecognitionError as error:
            if len(lines) > 1:
                half = len(lines) // 2
                return [*self.read(lines[:half]), *self.read(lines[half:])]
            step = "Check the picture, or read it with another engine (--engine ctc)."
            return [Problem(error.code, error.message, step, line_id=lines[0].id)]

    def _read_together(self, lines: Sequence[LineImage]) -> list[Candidates]:
        timeout = START_SECONDS + LINE_SECONDS * len(lines)
        rows = self.program.run([line.pixels for line in lines], psm=PSM_LINE, timeout=timeout)
        words: list[list[TsvRow]] = [[] for _ in lines]
        pages = {row.page for row in rows}
        if pages != set(range(1, len(lines) + 1)):
            raise RecognitionError(f"Tesseract answered for {len(pages)} of {len(lines)} lines.")
        for row in rows:
            if row.level == _ROW_WORD:
                words[row.page - 1].append(row)
        # Out of a bare strip Tesseract reads letters ("Qn"); one even tone holds none.
        return [
            Candidates(
                line.id,
                (_make_hypothesis([] if line.is_even else found, self.program),),
            )
            for line, found in zip(lines, words, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class TesseractPages:
    """Reads whole pages with Tesseract's own layout analysis (`--psm 3`).

    Attributes:
        name: "tesseract", or "tesseract:MODEL" for a model other than the default.
        program: What runs.
    """

    name: str
    program: TesseractProgram

    def read(self, image: PageImage) -> Page:
        """Return the page with regions, lines and words; a failure becomes its Problem."""
        page = Page(
            source=image.source,
            number=image.number,
            size=image.size,
            dpi=image.dpi,
            steps=(f"read with {_name_source(self.program)} --psm {PSM_PAGE}",),
        )
        try:
            rows = self.program.run(
                [image.pixels], psm=PSM_PAGE, timeout=PAGE_SECONDS, dpi=image.dpi
            )
        except RecognitionError as error:
            step = "Check the picture, or read it with another engine (--engine ctc)."
            problem = Problem(error.code, error.message, step, page=image.number)
            return replace(page, problems=(problem,))
        regions: list[Region] = []
        lines: list[Line] = []
        found: list[tuple[TsvRow, list[TsvRow]]] = []
        for row in rows:
            if row.level == _ROW_LINE:
                found.append((row, []))
            elif row.level == _ROW_WORD:
                found[-1][1].append(row)
        for row, words in found:
            hyp = _make_hypothesis(words, self.program)
            if not hyp.symbols:
                continue
            region = f"p{image.number:04}-r{row.place[0]:03}"
            if all(known.id != region for known in regions):
                block = next(
                    r for r in rows if r.level == _ROW_REGION and r.place[0] == row.place[0]
                )
                regions.append(Region(region, _outline(block.box)))
            lines.append(
                Line(
                    id=f"p{image.number:04}-l{len(lines) + 1:03}",
                    polygon=_outline(row.box),
                    region=region,
                    reading=Reading(hyp.text, confidence=None, hypothesis=hyp),
                    words=tuple(
                        Word(normalise(word.text), _outline(word.box), word.confidence)
                        for word in words
                        if normalise(word.text)
                    ),
                )
            )
        return replace(page, regions=tuple(regions), lines=tuple(lines))


def load(model: str | None = None, *, threads: int | None = None) -> TesseractLines:
    """Open Tesseract for line pictures.

    Args:
        model: Model name as Tesseract knows it ("Oriya", "ori", "Oriya+eng"); None is "Oriya".
        threads: Unused: the program reads the lines of a call on one core.

    Raises:
        EngineMissingError: When the program or a model is not installed; says what to install.
    """
    return TesseractLines(_name_engine(model), find_program(model or DEFAULT_MODEL))


def load_lines(model: str | None = None, *, threads: int | None = None) -> TesseractLines:
    """Open Tesseract for lines that we found on a page; arguments and errors as `load`."""
    recognizer = load(model, threads=threads)
    return replace(recognizer, name=recognizer.name.replace("tesseract", "tesseract-lines", 1))


def load_pages(model: str | None = None, *, threads: int | None = None) -> TesseractPages:
    """Open Tesseract for whole pages; arguments and errors as `load`."""
    return TesseractPages(_name_engine(model), find_program(model or DEFAULT_MODEL))


def find_program(model: str) -> TesseractProgram:
    """Find the installed program and the place of the model in its data folder.

    Debian keeps the script model as `Oriya`, Tesseract's own layout as `script/Oriya`; both names
    are understood on either.

    Raises:
        EngineMissingError: When the program or a model is not installed.
    """
    path = shutil.which("tesseract")
    if path is None:
        raise EngineMissingError(
            "The program tesseract is not installed.",
            next_step="Install it: apt install tesseract-ocr tesseract-ocr-ori"
            " tesseract-ocr-script-orya",
        )
    listing = _ask(path, "--list-langs", os.environ.get("TESSDATA_PREFIX", ""))
    installed = listing.splitlines()[1:]
    parts: list[str] = []
    for part in model.split("+"):
        bare = part.removeprefix("script/")
        choices = [name for name in (part, bare, f"script/{bare}") if name in installed]
        if not bare or not choices:
            package = _PACKAGES.get(bare, f"tesseract-ocr-{bare.replace('_', '-').lower()}")
            raise EngineMissingError(
                f"Tesseract has no model {part!r}; installed: {', '.join(installed) or 'none'}.",
                next_step=f"Install it: apt install {package}",
            )
        parts.append(choices[0])
    first = _ask(path, "--version", "").splitlines()[:1]
    version = first[0].removeprefix("tesseract ").strip() if first else "unknown"
    return TesseractProgram(path, version, "+".join(parts))


def parse_tsv(text: str) -> list[TsvRow]:
    """Rows of Tesseract's TSV output; lines of another shape are left out."""
    rows: list[TsvRow] = []
    for line in text.split("\n")[1:]:
        fields = line.rstrip("\r").split("\t", 11)
        if len(fields) < 11:
            continue
        level, page, block, paragraph, number, _, left, top, width, height = map(int, fields[:10])
        confidence = float(fields[10])
        rows.append(
            TsvRow(
                level=level,
                page=page,
                place=(block, paragraph, number),
                box=(left, top, left + width, top + height),
                confidence=min(1.0, confidence / 100) if confidence >= 0 else None,
                text=fields[11] if len(fields) > 11 else "",
            )
        )
    return rows


@functools.cache
def _ask(path: str, option: str, _data_folder: str) -> str:
    done = subprocess.run(
        [path, option], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
    )
    return (done.stdout or done.stderr).decode("utf-8", "replace")


def _make_hypothesis(words: Sequence[TsvRow], program: TesseractProgram) -> Hypothesis:
    """One symbol per word and one per gap; a gap has no confidence of its own."""
    symbols: list[Symbol] = []
    for word in words:
        text = normalise(word.text)
        if not text:
            continue
        left, _, right, _ = word.box
        if symbols:
            end = symbols[-1].span
            gap = (end[1], float(left)) if end and end[1] <= left else None
            symbols.append(Symbol(" ", 0.0, gap))
        logp = math.log(max(_FLOOR, word.confidence or 0.0))
        symbols.append(Symbol(text, logp, (float(left), float(right))))
    return Hypothesis(
        symbols=tuple(symbols),
        optical_logp=sum((symbol.logp for symbol in symbols), 0.0),
        source=_name_source(program),
    )


def _name_engine(model: str | None) -> str:
    return "tesseract" if model in (None, "", DEFAULT_MODEL) else f"tesseract:{model}"


def _name_source(program: TesseractProgram) -> str:
    return f"tesseract-{program.version}/{program.model}"


def _outline(box: tuple[int, int, int, int]) -> Polygon:
    left, top, right, bottom = map(float, box)
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def _write_pnm(path: Path, pixels: Pixels) -> None:
    """Write a portable grey or colour map: no compression, so writing costs nothing."""
    kind = "P6" if pixels.ndim == 3 else "P5"
    with path.open("wb") as file:
        file.write(f"{kind}\n{pixels.shape[1]} {pixels.shape[0]}\n255\n".encode("ascii"))
        file.write(pixels.tobytes())
