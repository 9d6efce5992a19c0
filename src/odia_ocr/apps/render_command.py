"""`odia-ocr render lines` and `render pages`: pictures with exact text into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

app = typer.Typer(
    help="Render pictures of Odia text with exact transcriptions.", no_args_is_help=True
)


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


def check_folder(out: Path, *, force: bool) -> None:
    """Refuse an output that is no folder, or that holds files while `force` is not given.

    Raises:
        OutputError: If files cannot or shall not be written there.
    """
    from odia_ocr.errors import OutputError

    try:
        filled = out.exists() and any(out.iterdir())
    except OSError as error:
        raise OutputError(
            f"Cannot write into {out}: {error.strerror or error}.",
            next_step="Give -o a folder, new or empty.",
        ) from error
    if filled and not force:
        raise OutputError(f"{out} is not empty.", next_step="Choose another folder or use --force.")


@app.command("lines")
def lines(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write into.")],
    count: Annotated[int, typer.Option(min=1, help="How many lines.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same pictures.")] = 1,
    clean: Annotated[bool, typer.Option("--clean", help="Black on white, no degradation.")] = False,
    words: Annotated[
        str, typer.Option(help="Words of a line, e.g. 3 or 1-4; short lines of text give fewer.")
    ] = "1-9",
    text: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it
        typer.Option(help="Draw the lines of this UTF-8 file instead of the shipped text."),
    ] = None,
    fonts: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Folder of .ttf and .otf files instead of the shipped faces."),
    ] = None,
    split: Annotated[str, typer.Option(help="train or heldout: faces and texts.")] = "train",
    force: Annotated[bool, typer.Option("--force", help="Write into a non-empty folder.")] = False,
) -> None:
    """Render lines: 000000.png, 000000.gt.txt ... and metadata.jsonl (face, degradation).

    Example: odia-ocr render lines -o lines --count 50 --seed 7
    """
    from dataclasses import replace

    from rich.console import Console
    from rich.progress import track

    from odia_ocr.errors import ResourceMissingError, name_choices

    if TYPE_CHECKING:
        from odia_ocr.data.texts import Split

    if split not in ("train", "heldout"):
        raise name_choices(split, ["train", "heldout"], kind="split")
    low, high = parse_words(words)
    check_folder(out, force=force)
    try:
        from odia_ocr.data.compose import Mix
        from odia_ocr.data.lines import make_renderer, render_lines
        from odia_ocr.data.render_folder import open_text_pool, write_rendered
    except ImportError as error:
        raise ResourceMissingError(
            f"Rendering needs a library that is not installed: {error.name}.",
            next_step="Install it with: pip install 'odia-ocr[render]'.",
        ) from error

    mix = Mix(min_words=low, max_words=high)
    if text:  # the words of that file and nothing made up
        mix = replace(mix, running=1.0, words=0, numbers=0, latin=0, rare=0, punctuated=0)
    chosen: Split = "heldout" if split == "heldout" else "train"
    renderer = make_renderer(
        split=chosen,
        seed=seed,
        clean=clean,
        fonts=fonts,
        mix=mix,
        pool=open_text_pool(text, chosen) if text else None,
    )
    console = Console(stderr=True)
    drawn = track(
        render_lines(renderer, count),
        total=count,
        description="Rendering",
        console=console,
        disable=not console.is_terminal,
    )
    written = write_rendered(drawn, out)
    console.print(f"{written} lines in {out}")


@app.command("pages")
def pages(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write into.")],
    count: Annotated[int, typer.Option(min=1, help="How many pages.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same pictures.")] = 1,
    clean: Annotated[
        bool, typer.Option("--clean", help="As printed: no scan, no photo, no small picture.")
    ] = False,
    layout: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer reads it
        typer.Option(
            help="book, news, poem, form, notice, magazine, quote or ticker; repeatable. "
            "Without it all of them."
        ),
    ] = None,
    text: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            help="Draw the words of this UTF-8 file instead of the shipped text. Page numbers, "
            "list marks and table figures are still made up."
        ),
    ] = None,
    fonts: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Folder of .ttf and .otf files instead of the shipped faces."),
    ] = None,
    split: Annotated[str, typer.Option(help="train or heldout: faces and texts.")] = "train",
    force: Annotated[bool, typer.Option("--force", help="Write into a non-empty folder.")] = False,
) -> None:
    """Render whole pages: 000000.png, its text, and where every line lies.

    000000.gt.txt has one printed line a line and a blank line between regions, in reading order.
    000000.json has the polygon, baseline and letter height of each line, and the regions.
    metadata.jsonl has layout, condition (clean, scan, low, photo), faces and degradation.

    Example: odia-ocr render pages -o pages --count 20 --layout news --layout book
    """
    from rich.console import Console
    from rich.progress import track

    from odia_ocr.errors import ResourceMissingError, name_choices

    if TYPE_CHECKING:
        from odia_ocr.data.texts import Split

    if split not in ("train", "heldout"):
        raise name_choices(split, ["train", "heldout"], kind="split")
    check_folder(out, force=force)
    try:
        from odia_ocr.data.page_folder import write_pages
        from odia_ocr.data.page_render import make_page_renderer, render_pages
        from odia_ocr.data.page_typeset import Manner
        from odia_ocr.data.render_folder import open_text_pool
    except ImportError as error:
        raise ResourceMissingError(
            f"Rendering needs a library that is not installed: {error.name}.",
            next_step="Install it with: pip install 'odia-ocr[render]'.",
        ) from error

    chosen: Split = "heldout" if split == "heldout" else "train"
    renderer = make_page_renderer(
        split=chosen,
        seed=seed,
        clean=clean,
        layouts=tuple(layout) if layout else None,
        fonts=fonts,
        manner=Manner(0.0, 0.0, 0.0) if text else None,
        pool=open_text_pool(text, chosen) if text else None,
    )
    console = Console(stderr=True)
    drawn = track(
        render_pages(renderer, count),
        total=count,
        description="Rendering",
        console=console,
        disable=not console.is_terminal,
    )
    written = write_pages(drawn, out)
    console.print(f"{written} pages in {out}")
