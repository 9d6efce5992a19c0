import io

import numpy as np
import pytest
from documents import make_document
from PIL import Image

from odia_ocr.export.overlay import draw_overlay, write_overlay
from odia_ocr.types import PageImage


def test_lines_are_drawn_in_the_colour_of_their_confidence():
    page = make_document().pages[0]
    image = PageImage("book.tif", 1, np.full((150, 120), 255, np.uint8))
    pixels = np.asarray(draw_overlay(page, image)).astype(int)
    assert pixels.shape == (150, 120, 3)
    sure, uncalibrated, unread = pixels[20, 80], pixels[60, 80], pixels[120, 80]
    assert sure[1] > sure[0]  # green
    assert uncalibrated[2] > uncalibrated[0]  # blue
    assert unread[0] == unread[1] == unread[2] < 200
    assert (pixels[5, 5] == 255).all()


def test_png_is_written_and_the_page_must_fit():
    page = make_document().pages[0]
    stream = io.BytesIO()
    write_overlay(page, PageImage("a", 1, np.full((150, 120, 3), 255, np.uint8)), stream)
    assert Image.open(stream).size == (120, 150)
    with pytest.raises(ValueError, match="pixels"):
        draw_overlay(page, PageImage("a", 1, np.full((10, 10), 255, np.uint8)))
