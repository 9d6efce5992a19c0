"""Pictures for the tests of this folder, made in memory."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image


def encode(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def gradient(width: int = 40, height: int = 30) -> Image.Image:
    """Dark at the left, light at the right."""
    return Image.fromarray(np.tile(np.linspace(0, 255, width).astype(np.uint8), (height, 1)))


def bomb_png(width: int = 20000, height: int = 20000) -> bytes:
    """A PNG of a few hundred bytes whose header promises many megapixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


def draw_rows(
    rows: list[tuple[int, int, int, int]],
    *,
    size: tuple[int, int] = (800, 600),
    ink: int = 20,
    paper: int = 245,
    seed: int = 0,
) -> np.ndarray:
    """A page of letter-like rings: each row is (left, top, letters, height)."""
    rng = np.random.default_rng(seed)
    width, height = size
    page = np.full((height, width), paper, np.uint8)
    for left, top, letters, tall in rows:
        x = left
        for i in range(letters):
            wide = int(tall * rng.uniform(0.7, 1.0))
            stroke = max(2, tall // 9)
            page[top : top + tall, x : x + wide] = ink
            page[top + stroke : top + tall - stroke, x + stroke : x + wide - stroke] = paper
            x += wide + stroke * (4 if i % 5 == 4 else 1)
    return page
