"""Preprocessing is part of the weights: its result is pinned, and it stands the odd picture."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from odia_ocr.recognize.line_tensor import (
    Geometry,
    choose_grey,
    line_to_pixels,
    pad_width,
    stack_lines,
    stretch_contrast,
)

GEOMETRY = Geometry()
PINNED = [243, 249, 249, 254, 25, 2, 245, 249]  # every 24th pixel of the middle row


def draw_bars(
    ink: tuple[int, int, int], ground: tuple[int, int, int], height: int = 60
) -> np.ndarray:
    picture = Image.new("RGB", (240, height), ground)
    pen = ImageDraw.Draw(picture)
    for x in range(20, 220, 25):
        pen.rectangle((x, 15, x + 6, height - 15), fill=ink)
    return np.asarray(picture)


def test_height_and_aspect() -> None:
    assert line_to_pixels(draw_bars((0, 0, 0), (255, 255, 255)), GEOMETRY).shape == (48, 192)


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 500), (500, 1), (3, 3), (2000, 40), (7, 9000)], ids=str
)
def test_odd_sizes_stay_in_bounds(shape: tuple[int, int]) -> None:
    pixels = line_to_pixels(np.full(shape, 128, np.uint8), GEOMETRY)
    assert pixels.shape[0] == 48
    assert 4 * GEOMETRY.stride <= pixels.shape[1] <= GEOMETRY.max_width


def test_light_on_dark_is_turned() -> None:
    dark = line_to_pixels(draw_bars((0, 0, 0), (255, 255, 255)), GEOMETRY)
    light = line_to_pixels(draw_bars((255, 255, 255), (0, 0, 0)), GEOMETRY)
    assert np.abs(dark.astype(int) - light.astype(int)).max() <= 2


def test_colours_of_one_lightness_keep_their_contrast() -> None:
    red_on_green = draw_bars((200, 40, 40), (20, 107, 20))
    grey = np.asarray(Image.fromarray(red_on_green).convert("L"))
    assert grey.max() - grey.min() < 30
    chosen = choose_grey(red_on_green)
    assert int(chosen.max()) - int(chosen.min()) > 200


def test_black_on_white_uses_plain_luminance() -> None:
    pixels = draw_bars((10, 10, 10), (240, 240, 240))
    assert np.array_equal(choose_grey(pixels), np.asarray(Image.fromarray(pixels).convert("L")))


def test_a_flat_picture_is_not_blown_up_into_noise() -> None:
    flat = np.full((40, 100), 200, np.uint8)
    flat[::2] = 203
    stretched = stretch_contrast(flat)
    assert int(stretched.max()) - int(stretched.min()) < 60


def test_the_result_is_pinned() -> None:
    rng = np.random.default_rng(1)
    noisy = (draw_bars((30, 30, 60), (220, 210, 190)) + rng.integers(0, 20, (60, 240, 3))).astype(
        np.uint8
    )
    pixels = line_to_pixels(noisy, GEOMETRY)
    assert pixels.shape == (48, 192)
    assert pixels[24, ::24].tolist() == PINNED


def test_padding_is_white_and_bucketed() -> None:
    assert [pad_width(w, GEOMETRY) for w in (1, 64, 65)] == [64, 64, 128]
    batch = stack_lines([np.zeros((48, 10), np.uint8)], 64)
    assert batch.shape == (1, 1, 48, 64)
    assert batch[..., :10].max() == 0
    assert batch[..., 10:].min() == 255
