"""Memory over a long PDF: makes one of 2,000 pages, reads it, and samples the memory each second.

    python benchmarks/long_pdf.py PICTURE ... [--pages 2000] [--out out/long-pdf] [--threads 2]

Writes DIR/memory.csv (seconds, megabytes), DIR/memory.svg and a line that says whether
memory grew: the mean of the last quarter over that of the second. Takes as long as the pages take.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from process_tree import MEGABYTE, measure_children

GROWN = 1.10  # more than this, last quarter over second, is a leak


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", type=Path, nargs="+", help="shown in turn on the pages")
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--out", type=Path, default=Path("out/long-pdf"))
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--format", default="txt")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    book = options.out / "book.pdf"
    write_pdf(book, options.pictures, options.pages)
    print(f"{book}: {options.pages} pages, {book.stat().st_size / MEGABYTE:.0f} MB")
    command = [sys.executable, "-m", "odia_ocr", "read", str(book), "-o", str(options.out)]
    command += ["--format", options.format, "--force", "--preset", options.preset]
    command += ["--threads", str(options.threads)]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    rows: list[tuple[float, float]] = []
    while process.poll() is None:
        rows.append((time.perf_counter() - started, measure_children() / MEGABYTE))
        time.sleep(1.0)
    seconds = time.perf_counter() - started
    with (options.out / "memory.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("seconds", "megabytes"))
        writer.writerows((f"{at:.1f}", f"{size:.1f}") for at, size in rows)
    draw_curve(rows, options.out / "memory.svg")
    text = options.out / "book.txt"
    done = text.read_text("utf-8").count("\f") + 1 if text.exists() else 0
    rate = options.pages / seconds
    print(f"exit {process.returncode}, {done} pages, {seconds:.0f} s, {rate:.2f} pages/s")
    print(f"peak {max((size for _, size in rows), default=0.0):.0f} MB")
    quarter = len(rows) // 4
    if quarter < 2:
        print("too short to say whether memory grew")
        return process.returncode
    early, late = (
        statistics.fmean(size for _, size in part)
        for part in (rows[quarter : 2 * quarter], rows[-quarter:])
    )
    print(f"last quarter {late:.0f} MB, second quarter {early:.0f} MB: {late / early:.2f}")
    return process.returncode or int(late / early > GROWN)


def write_pdf(path: Path, pictures: Sequence[Path], pages: int) -> None:
    """Write a PDF whose pages show the pictures in turn, each stored once, as JPEG.

    By hand, because a file of 2,000 stored pictures would be gigabytes; see ISO 32000-1, 7.5.
    """
    kids: list[int] = []
    places: list[int] = []
    with path.open("wb") as file:

        def write(body: bytes) -> int:
            places.append(file.tell())
            file.write(b"%d 0 obj\n%s\nendobj\n" % (len(places), body))
            return len(places)

        file.write(b"%PDF-1.4\n")
        tree = 2 * len(pictures) + pages + 1  # number of the object after all of them
        shown = []
        for picture in pictures:
            image = Image.open(picture).convert("RGB")
            data = io.BytesIO()
            image.save(data, "JPEG", quality=85)
            # An A4 page in points, as far as the picture's shape goes.
            size = 595, round(595 * image.height / image.width)
            number = write(
                b"<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB"
                b"/BitsPerComponent 8/Filter/DCTDecode/Length %d>>\nstream\n%s\nendstream"
                % (image.width, image.height, data.tell(), data.getvalue())
            )
            drawing = b"q %d 0 0 %d 0 0 cm /P Do Q" % size
            content = write(b"<</Length %d>>\nstream\n%s\nendstream" % (len(drawing), drawing))
            shown.append((number, content, size))
        for i in range(pages):
            number, content, size = shown[i % len(shown)]
            kids.append(
                write(
                    b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 %d %d]/Contents %d 0 R"
                    b"/Resources<</XObject<</P %d 0 R>>>>>>" % (tree, *size, content, number)
                )
            )
        listed = b" ".join(b"%d 0 R" % kid for kid in kids)
        write(b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, listed))
        catalog = write(b"<</Type/Catalog/Pages %d 0 R>>" % tree)
        start = file.tell()
        file.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1))
        file.writelines(b"%010d 00000 n \n" % place for place in places)
        file.write(
            b"trailer\n<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF\n"
            % (len(places) + 1, catalog, start)
        )


def draw_curve(rows: Sequence[tuple[float, float]], path: Path) -> None:
    """Memory over time as SVG, without a plotting library."""
    width, height, left, bottom = 800, 300, 60, 40
    long = max((at for at, _ in rows), default=1.0) or 1.0
    most = max((size for _, size in rows), default=1.0) or 1.0
    points = " ".join(
        f"{left + at / long * (width - left - 20):.1f},"
        f"{height - bottom - size / most * (height - bottom - 20):.1f}"
        for at, size in rows
    )
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        ' font-family="sans-serif" font-size="12">'
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
        f'<path d="M{left} 20V{height - bottom}H{width - 20}" fill="none" stroke="#888"/>'
        f'<polyline points="{points}" fill="none" stroke="#a8481f" stroke-width="1.5"/>'
        f'<text x="{left - 8}" y="24" text-anchor="end">{most:.0f} MB</text>'
        f'<text x="{left - 8}" y="{height - bottom}" text-anchor="end">0</text>'
        f'<text x="{width - 20}" y="{height - 18}" text-anchor="end">{long:.0f} s</text></svg>\n',
        encoding="utf-8",
    )


if __name__ == "__main__":
    sys.exit(main())
