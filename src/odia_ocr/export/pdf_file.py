"""The grammar of a PDF file: numbered objects one after the other, and the table of where they are.

Written front to back, so that a long book never sits in memory. Also appends to a file that is
there already (ISO 32000-1, 7.5.6, incremental updates). Knows nothing of pages or text.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import BinaryIO

HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"


@dataclass(slots=True)
class PdfFile:
    """A file being written.

    Attributes:
        stream: Where to; only ever appended to.
        offset: Bytes before the next object.
        size: Number of the next new object; those below it are taken.
    """

    stream: BinaryIO
    offset: int = 0
    size: int = 1
    _places: dict[int, tuple[int, int]] = field(default_factory=dict)  # number: offset, generation

    def write(self, data: bytes) -> None:
        """Append `data` as it is."""
        self.stream.write(data)
        self.offset += len(data)

    def reserve(self) -> int:
        """A number for an object that is written later."""
        self.size += 1
        return self.size - 1

    def put(self, body: bytes, *, number: int | None = None, generation: int = 0) -> int:
        """Write an object.

        Args:
            body: What it holds, as PDF.
            number: Of a reserved object, or of an older one that this takes the place of.
            generation: Of that older one.

        Returns:
            Its number.
        """
        number = self.reserve() if number is None else number
        self._places[number] = (self.offset, generation)
        self.write(b"%d %d obj\n%s\nendobj\n" % (number, generation, body))
        return number

    def put_stream(self, data: bytes, entries: bytes = b"", *, number: int | None = None) -> int:
        """Write a stream; `entries` of its dictionary tell by what filter it was packed."""
        head = b"<< %s/Length %d >>" % (entries and entries + b" ", len(data))
        return self.put(b"%s\nstream\n%s\nendstream" % (head, data), number=number)

    def put_packed(self, data: bytes, entries: bytes = b"", *, number: int | None = None) -> int:
        """Write a stream and compress it."""
        packed = b"/Filter /FlateDecode" + (entries and b" " + entries)
        return self.put_stream(zlib.compress(data, 6), packed, number=number)

    def end(self, trailer: bytes, *, as_stream: bool = False) -> None:
        """Write the table of objects and the trailer.

        Args:
            trailer: Entries of the trailer, without its size.
            as_stream: Write it as a stream, which a file that began so must go on with.
        """
        start = self.offset
        if as_stream:
            number = self.reserve()
            self._places[number] = (start, 0)
            spans = list(_spans(self._places))
            index = b" ".join(b"%d %d" % (first, len(rows)) for first, rows in spans)
            data = b"".join(
                b"\x01" + offset.to_bytes(6, "big") + generation.to_bytes(2, "big")
                for _, rows in spans
                for offset, generation in rows
            )
            entries = b"/Type /XRef /W [1 6 2] /Index [%s] /Size %d %s" % (
                index,
                self.size,
                trailer,
            )
            self.put_packed(data, entries, number=number)
        else:
            if 0 not in self._places and self.size == len(self._places) + 1:
                self._places[0] = (0, 65535)  # head of the list of free objects, in a new file
            self.write(b"xref\n")
            for first, rows in _spans(self._places):
                self.write(b"%d %d\n" % (first, len(rows)))
                for offset, generation in rows:
                    kind = b"f" if generation == 65535 else b"n"
                    self.write(b"%010d %05d %s \n" % (offset, generation, kind))
            self.write(b"trailer\n<< /Size %d %s >>\n" % (self.size, trailer))
        self.write(b"startxref\n%d\n%%%%EOF\n" % start)


def _spans(
    places: dict[int, tuple[int, int]],
) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """First number and rows of each run of numbers without a gap."""
    numbers: Iterable[tuple[int, int]] = enumerate(sorted(places))
    for _, run in groupby(numbers, key=lambda pair: pair[1] - pair[0]):
        span = [number for _, number in run]
        yield span[0], [places[number] for number in span]


def number_text(value: float, digits: int = 3) -> bytes:
    """A number as PDF writes it: no exponent, no idle zeros."""
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".") if digits else f"{value:.0f}"
    return b"0" if text in ("-0", "") else text.encode()


def text_string(text: str) -> bytes:
    """A text string: UTF-16 with its mark, in hexadecimal."""
    return b"<feff%s>" % text.encode("utf-16-be", "replace").hex().encode()
