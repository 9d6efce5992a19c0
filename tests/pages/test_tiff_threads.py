"""Pages of one TIFF that are loaded in several threads."""

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

from odia_ocr.pages.images import open_pages

PAGES = 8


def tiff_of_many_sizes() -> bytes:
    rng = np.random.default_rng(1)
    pages = [
        Image.fromarray(rng.integers(0, 255, (700, 900 + 20 * i), dtype=np.uint8))
        for i in range(PAGES)
    ]
    file = io.BytesIO()
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    return file.getvalue()


def test_every_page_is_its_own_whatever_thread_loads_it() -> None:
    file = open_pages(tiff_of_many_sizes())
    numbers = list(range(1, PAGES + 1)) * 6
    with ThreadPoolExecutor(4) as pool:
        widths = [page.size[0] for page in pool.map(file.load, numbers)]
    file.close()
    assert widths == [880 + 20 * number for number in numbers]
