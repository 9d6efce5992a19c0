"""`odia-ocr render lines` and `render pages`: pictures with exact text into a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from odia_ocr.apps.out_folder import check_folder

if TYPE_CHECKING:
    from odia_ocr.data.texts import Split
    from odia_ocr.errors import ResourceMissingError

Picture = TypeVar("Picture")

app = typer.Typer(
    help="Render pictures of Odia text with exact transcriptions.", no_args_is_help=True
)

# The options of both commands.
Out = Annotated[Path, typer.Option("-o", "--out", help="Folder to write into.")]
Seed = Annotated[int, typer.Option(min=0, help="Same seed, same pictures.")]
Fonts = Annotated[
    Path | None, typer.Option(help="Folder of .ttf and .otf files instead of the shipped faces.")
]
SplitName = Annotated[str, typer.Option(help="train or heldout: faces and texts.")]
Force = Annotated[bool, typer.Option("--force", help="Write into a non-empty folder.")]


@app.callback()
def _render() -> None:
    """Render pictures of Odia text with exact transcriptions."""


def parse_words(value: str) -> tuple[int, int]:
    """Read "3" or "1-4".

    Raises:
        UsageError: If it is neither.
    """
    from odia_ocr.errors import UsageError

    low, _, high = value.partition("-")
    try:
        first, last = int(low), int(high or low)
    except ValueError:
        first, last = 0, 0
    if not 1 <= first <= last:
        raise UsageError(
            f"--words {value!r} is not a number of words.", next_step="Write 3 or 1-4."
        )
    return first, last


def _choose_split(name: str) -> Split:
    from odia_ocr.errors import name_choices

    if name == "train":
        return "train"
    if name == "heldout":
        return "heldout"
    raise name_choices(name, ["train", "heldout"], kind="split")


def _name_library(error: ImportError) -> ResourceMissingError:
    from odia_ocr.errors import name_extra

    return name_extra(error, "render", doing="Rendering")


def _write(
    drawn: Iterable[Picture],
    write: Callable[[Iterable[Picture], Path], int],
    out: Path,
    count: int,
    what: str,
) -> None:
    """Draw and write with a progress bar, then say how many there are."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    shown = track(
        drawn,
        total=count,
        description="Rendering",
        console=console,
        disable=not console.is_terminal,
    )
    console.print(f"{write(shown, out)} {what} in {out}")


@app.command("lines")
def lines(
    out: Out,
    count: Annotated[int, typer.Option(min=1, help="How many lines.")] = 100,
    seed: Seed = 1,
    clean: Annotated[bool, typer.Option("--clean", help="Black on white, no degradation.")] = False,
    words: Annotated[
        str, typer.Option(help="Words of a line, e.g. 3 or 1-4; short lines of text give fewer.")
    ] = "1-9",
    text: Annotated[
        Path | None,
        typer.Option(help="Draw the lines of this UTF-8 file instead of the shipped text."),
    ] = None,
    fonts: Fonts = None,
    split: SplitName = "train",
    force: Force = False,
) -> None:
    """Render lines: 000000.png, 000000.gt.txt ... and metadata.jsonl (face, degradation).

    Example: odia-ocr render lines -o lines --count 50 --seed 7
    """
    from dataclasses import replace

    chosen = _choose_split(split)
    low, high = parse_words(words)
    check_folder(out, force=force)
    try:
        from odia_ocr.data.compose import Mix
        from odia_ocr.data.lines import make_renderer, render_lines
        from odia_ocr.data.render_folder import open_text_pool, write_rendered
    except ImportError as error:
        raise _name_library(error) from error

    mix = Mix(min_words=low, max_words=high)
    if text:  # the words of that file and nothing made up
        mix = replace(mix, running=1.0, words=0, numbers=0, latin=0, rare=0, punctuated=0)
    renderer = make_renderer(
        split=chosen,
        seed=seed,
        clean=clean,
        fonts=fonts,
        mix=mix,
        pool=open_text_pool(text, chosen) if text else None,
    )
    _write(render_lines(renderer, count), write_rendered, out, count, "lines")


@app.command("pages")
def pages(
    out: Out,
    count: Annotated[int, typer.Option(min=1, help="How many pages.")] = 20,
    seed: Seed = 1,
    clean: Annotated[
        bool, typer.Option("--clean", help="As printed: no scan, no photo, no small picture.")
    ] = False,
    layout: Annotated[
        list[str] | None,
        typer.Option(
            help="book, news, poem, form, notice, magazine, quote or ticker; repeatable. "
            "Without it all of them."
        ),
    ] = None,
    text: Annotated[
        Path | None,
        typer.Option(
            help="Draw the words of this UTF-8 file instead of the shipped text. Page numbers, "
            "list marks and table figures are still made up."
        ),
    ] = None,
    fonts: Fonts = None,
    split: SplitName = "train",
    force: Force = False,
) -> None:
    """Render whole pages: 000000.png, its text, and where every line lies.

    000000.gt.txt has one printed line a line and a blank line between regions, in reading order.
    000000.json has the polygon, baseline and letter height of each line, and the regions.
    metadata.jsonl has layout, condition (clean, scan, low, photo), faces and degradation.

    Example: odia-ocr render pages -o pages --count 20 --layout news --layout book
    """
    chosen = _choose_split(split)
    check_folder(out, force=force)
    try:
        from odia_ocr.data.page_folder import write_pages
        from odia_ocr.data.page_render import make_page_renderer, render_pages
        from odia_ocr.data.page_typeset import Manner
        from odia_ocr.data.render_folder import open_text_pool
    except ImportError as error:
        raise _name_library(error) from error

    renderer = make_page_renderer(
        split=chosen,
        seed=seed,
        clean=clean,
        layouts=tuple(layout) if layout else None,
        fonts=fonts,
        manner=Manner(0.0, 0.0, 0.0) if text else None,
        pool=open_text_pool(text, chosen) if text else None,
    )
    _write(render_pages(renderer, count), write_pages, out, count, "pages")
