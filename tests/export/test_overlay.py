import io

import numpy as np
import pytest
from documents import make_document, make_rich_document
from PIL import Image

from odia_ocr.export.overlay import draw_overlay, write_overlay
from odia_ocr.types import PageImage


def test_lines_are_drawn_in_the_colour_of_their_state():
    page = make_document().pages[0]
    image = PageImage("book.tif", 1, np.full((150, 120), 255, np.uint8))
    pixels = np.asarray(draw_overlay(page, image)).astype(int)
    assert pixels.shape == (150, 120, 3)
    sure, uncalibrated, unread = pixels[20, 80], pixels[60, 80], pixels[120, 80]
    assert sure[1] > sure[0]  # green
    assert uncalibrated[1] > uncalibrated[0]
    assert unread[0] == unread[1] == unread[2] < 200
    assert (pixels[5, 5] == 255).all()
    doubted = np.asarray(draw_overlay(page, image, is_doubtful=lambda r: True)).astype(int)
    assert doubted[20, 80][0] > doubted[20, 80][1]  # red
    word = pixels[23, 30]
    assert word[2] > word[0]  # the word's outline is bluish, within the line's


def test_a_large_page_has_a_legend_that_covers_no_line():
    page = make_rich_document().pages[0]
    image = PageImage("book.tif", 1, np.full((1100, 800), 255, np.uint8))
    pixels = np.asarray(draw_overlay(page, image)).astype(int)
    legend = pixels[:30, -300:]
    assert (legend.min(axis=2) < 250).any()
    assert (pixels[1060:, :] == 255).all()


def test_png_is_written_and_the_page_must_fit():
    page = make_document().pages[0]
    stream = io.BytesIO()
    write_overlay(page, PageImage("a", 1, np.full((150, 120, 3), 255, np.uint8)), stream)
    assert Image.open(stream).size == (120, 150)
    with pytest.raises(ValueError, match="pixels"):
        draw_overlay(page, PageImage("a", 1, np.full((10, 10), 255, np.uint8)))
