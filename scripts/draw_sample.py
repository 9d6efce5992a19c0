"""Draw the sample page of the demo: samples/page.png and its text, samples/page.gt.txt.

The text is our own, the faces are the shipped OFL ones, and the result is the same on every run.
Needs the rendering extra: pip install 'odia-ocr[render]'.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from odia_ocr.data.draw import Style, check_shaping, draw_line
from odia_ocr.data.faces import SHIPPED, Face

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
SEED = 7


@dataclass(frozen=True, slots=True)
class Layout:
    """The page in pixels, at about 150 dots per inch."""

    width: int = 1000
    margin: int = 90
    body: float = 31.0
    heading: float = 46.0
    leading: float = 1.75  # baseline to baseline, in body sizes
    block_space: float = 0.9  # added between blocks, in body sizes
    degrees: float = 0.5
    blur: float = 0.55
    noise: float = 2.2  # grey levels


@dataclass(frozen=True, slots=True)
class Block:
    """A heading or a paragraph."""

    text: str
    size: float
    face: Face
    centred: bool = False


def make_blocks(layout: Layout) -> list[Block]:
    regular = Face(str(SHIPPED / "NotoSansOriya-Regular.ttf"), "Noto Sans Oriya", heldout=False)
    bold = Face(str(SHIPPED / "NotoSansOriya-Bold.ttf"), "Noto Sans Oriya", heldout=False)
    other = Face(str(SHIPPED / "AnekOdia-Regular.ttf"), "Anek Odia", heldout=False)
    return [
        Block("ଛାପା ପୃଷ୍ଠାରୁ ଲେଖା", layout.heading, bold, centred=True),
        Block(
            "ଓଡ଼ିଆ ଭାରତର ଏକ ପ୍ରାଚୀନ ଭାଷା । ଏହି ଭାଷାରେ ଲେଖା ହୋଇଥିବା ଅନେକ ପୁରୁଣା ବହି ଓ ତାଳପତ୍ର "
            "ପୋଥି ଆଜି ମଧ୍ୟ ଲୋକଙ୍କ ଘରେ ରହିଛି । ସେଗୁଡ଼ିକୁ ପଢ଼ି ସଂରକ୍ଷଣ କରିବା ଆମର କର୍ତ୍ତବ୍ୟ ।",
            layout.body,
            regular,
        ),
        Block(
            "ଚିତ୍ରରୁ ଅକ୍ଷର ଚିହ୍ନିବା ସହଜ ନୁହେଁ । ଯୁକ୍ତାକ୍ଷର, ରେଫ ଓ ଫଳା ଛୋଟ ହୋଇଥାଏ; ତେଣୁ ଧର୍ମ, "
            "ଲକ୍ଷ୍ମୀ, ସ୍ତ୍ରୀ, ସୂର୍ଯ୍ୟ, ଉଜ୍ଜ୍ୱଳ ପରି ଶବ୍ଦ ଠିକ୍ ପଢ଼ିବାକୁ ସ୍ପଷ୍ଟ ଚିତ୍ର ଦରକାର ।",
            layout.body,
            other,
        ),
        Block(
            "ପୃଷ୍ଠା ୧୨୩, 2024 ମସିହା, ମୂଲ୍ୟ 250 ଟଙ୍କା, Odia OCR 1.0",
            layout.body,
            regular,
        ),
    ]


def wrap(block: Block, width: int) -> list[str]:
    """Break a block into lines no wider than `width` pixels."""
    lines: list[str] = []
    for word in unicodedata.normalize("NFC", block.text).split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        fits = lines and draw(longer, block).shape[1] <= width
        # A danda never begins a line.
        if fits or word == "।":
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def draw(text: str, block: Block) -> np.ndarray:
    return draw_line(text, block.face, Style(size=block.size)).mask


def draw_page(layout: Layout) -> tuple[np.ndarray, list[list[str]]]:
    """Ink coverage 0..1 of the page and its lines by block."""
    placed: list[tuple[int, int, np.ndarray]] = []
    blocks: list[list[str]] = []
    y = float(layout.margin)
    for block in make_blocks(layout):
        blocks.append(wrap(block, layout.width - 2 * layout.margin))
        for text in blocks[-1]:
            y += layout.leading * block.size
            line = draw_line(text, block.face, Style(size=block.size))
            spare = layout.width - line.mask.shape[1]
            left = spare // 2 if block.centred else layout.margin
            placed.append((round(y) - line.baseline, left, line.mask))
        y += layout.block_space * layout.body
    ink = np.zeros((round(y) + layout.margin, layout.width), np.float32)
    for top, left, mask in placed:
        height, width = mask.shape
        area = ink[top : top + height, left : left + width]
        np.maximum(area, mask / np.float32(255), out=area)
    return ink, blocks


def scan(ink: np.ndarray, layout: Layout) -> Image.Image:
    """As a flatbed would see it: a little turned, soft and grainy, on paper that is not white."""
    rng = np.random.default_rng(SEED)
    page = Image.fromarray((255 * ink).astype(np.uint8))
    page = page.rotate(-layout.degrees, Image.Resampling.BICUBIC)
    page = page.filter(ImageFilter.GaussianBlur(layout.blur))
    small = rng.normal(0.0, 1.0, (6, 6)).astype(np.float32)
    shade = np.asarray(Image.fromarray(small).resize(page.size, Image.Resampling.BICUBIC))
    cover = np.asarray(page, np.float32) / 255
    paper = 238 + 4 * shade
    grey = paper * (1 - cover) + 42 * cover + rng.normal(0, layout.noise, cover.shape)
    # Coarse grey steps keep the file small; the eye does not see them.
    return Image.fromarray((np.clip(grey / 6, 0, 42).round() * 6).astype(np.uint8))


def main() -> None:
    check_shaping()
    layout = Layout()
    ink, blocks = draw_page(layout)
    SAMPLES.mkdir(exist_ok=True)
    scan(ink, layout).save(SAMPLES / "page.png", optimize=True, dpi=(150, 150))
    text = "\n\n".join("\n".join(lines) for lines in blocks) + "\n"
    (SAMPLES / "page.gt.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
