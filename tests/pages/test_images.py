import contextlib
import io
import struct

import numpy as np
import pytest
from pictures import bomb_png, encode, gradient
from PIL import ExifTags, Image, TiffImagePlugin

from odia_ocr.errors import FileMissingError, InputError, PictureError, PictureTooLargeError
from odia_ocr.pages.images import PageLimits, open_pages, to_pixels


def load(source, number=1, **options):
    return open_pages(source, **options).load(number)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"])
def test_reads_each_kind_from_bytes_and_file(kind, tmp_path):
    data = encode(gradient().convert("RGB"), kind)
    path = tmp_path / "mislabelled.xyz"
    path.write_bytes(data)
    for image in (load(data), load(path)):
        assert image.size == (40, 30)
        assert image.pixels[:, :4].mean() < 40
        assert image.pixels[:, -4:].mean() > 215
    assert load(path).source == str(path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
@pytest.mark.filterwarnings("ignore:.*:UserWarning")  # Pillow's notes on the damage
def test_a_truncated_picture_is_refused(kind, share):
    rng = np.random.default_rng(0)
    data = encode(Image.fromarray(rng.integers(0, 255, (50, 60, 3), dtype=np.uint8)), kind)
    with pytest.raises(PictureError) as caught:
        load(data[: int(share * len(data))], name="page.png")
    assert "page.png" in caught.value.message
    assert caught.value.next_step


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"])
@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_scrambled_bytes_give_a_picture_or_a_clear_error(kind):
    rng = np.random.default_rng(1)
    data = np.frombuffer(encode(gradient().convert("RGB"), kind), np.uint8)
    for trial in range(40):
        broken = data.copy()
        span = len(broken) if trial % 2 else min(len(broken), 90)
        places = rng.integers(0, span, 12)
        broken[places] = rng.integers(0, 256, 12)
        with contextlib.suppress(PictureError):
            load(broken.tobytes())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        ("ଏହା ଚିତ୍ର ନୁହେଁ\n".encode() * 90, "text file"),
        (b"<!doctype html><p>404", "HTML"),
        (b"PK\x03\x04rest", "ZIP"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00", "HEIC"),
        (b"%!PS-Adobe-3.0", "PostScript"),
        (b"\x89PNG\r\n\x1a\n", "corrupt"),
        (b"\x00\x01\x02\x03\xff" * 30, "not a picture"),
    ],
)
def test_what_is_no_picture_is_named(content, says, tmp_path):
    path = tmp_path / "page.png"
    path.write_bytes(content)
    with pytest.raises(PictureError, match=says) as caught:
        open_pages(path)
    assert caught.value.next_step


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF"])
@pytest.mark.parametrize("orientation", [None, 3, 6, 8])
def test_a_picture_measures_what_it_loads(kind, orientation):
    options = {}
    if orientation and kind not in ("BMP", "GIF"):
        options["exif"] = Image.Exif()
        options["exif"][ExifTags.Base.Orientation] = orientation
    data = encode(gradient().convert("RGB"), kind, **options)
    turned = bool(options) and orientation in (6, 8)
    assert open_pages(data).measure() == load(data).size == ((30, 40) if turned else (40, 30))


@pytest.mark.parametrize(
    ("kind", "options"), [("PNG", {}), ("JPEG", {}), ("JPEG", {"progressive": 1})]
)
def test_measuring_refuses_what_is_cut_short_or_scrambled(kind, options):
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 255, (64, 300, 3), dtype=np.uint8))
    data = encode(noise, kind, **options)
    for share in (0.1, 0.5, 0.9, 0.98):
        with pytest.raises(PictureError, match="truncated or corrupt"):
            open_pages(data[: int(share * len(data))]).measure()
    if kind == "PNG":
        middle = len(data) // 2
        scrambled = data[:middle] + bytes([data[middle] ^ 8]) + data[middle + 1 :]
        with pytest.raises(PictureError, match="truncated or corrupt"):
            open_pages(scrambled).measure()


def test_measuring_makes_no_pixels_of_a_png(monkeypatch):
    from PIL import ImageFile

    data = encode(gradient())
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("decoded"))
    assert open_pages(data).measure() == (40, 30)


def test_a_bomb_is_refused_by_its_header():
    with pytest.raises(PictureTooLargeError, match="400 megapixels"):
        open_pages(bomb_png())
    assert Image.MAX_IMAGE_PIXELS is not None


def test_the_pixel_limit_is_configurable():
    data = encode(gradient())
    with pytest.raises(PictureTooLargeError):
        open_pages(data, limits=PageLimits(max_pixels=1199))
    assert load(data, limits=PageLimits(max_pixels=1200)).size == (40, 30)


def test_paths_that_cannot_be_opened(tmp_path):
    with pytest.raises(FileMissingError, match="does not exist"):
        open_pages(tmp_path / "none.png")
    with pytest.raises(InputError, match="is a folder"):
        open_pages(tmp_path)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation(orientation):
    upright = gradient()
    # How a camera stores a picture that is to be shown as `upright`.
    undo = {
        1: lambda im: im,
        2: lambda im: im.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: lambda im: im.transpose(Image.Transpose.ROTATE_180),
        4: lambda im: im.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: lambda im: im.transpose(Image.Transpose.TRANSPOSE),
        6: lambda im: im.transpose(Image.Transpose.ROTATE_90),
        7: lambda im: im.transpose(Image.Transpose.TRANSVERSE),
        8: lambda im: im.transpose(Image.Transpose.ROTATE_270),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = load(encode(undo(upright), "PNG", exif=exif))
    np.testing.assert_array_equal(image.pixels, np.asarray(upright))


def test_depths_and_modes():
    grey = gradient()
    values = np.asarray(grey)
    np.testing.assert_array_equal(
        to_pixels(Image.fromarray(values.astype(np.uint16) * 257)), values
    )
    np.testing.assert_array_equal(
        load(encode(Image.fromarray(values.astype(np.uint16) * 257))).pixels, values
    )
    np.testing.assert_array_equal(
        to_pixels(grey.convert("1")), np.asarray(grey.convert("1").convert("L"))
    )
    np.testing.assert_allclose(to_pixels(grey.convert("F")), values)
    assert to_pixels(grey.convert("RGB").convert("CMYK")).shape == (30, 40, 3)
    palette = to_pixels(grey.convert("RGB").convert("P"))
    assert palette.shape == (30, 40, 3)
    assert abs(palette.astype(int)[:, :, 0] - values).max() < 60


def test_transparency_lies_on_white():
    image = Image.new("RGBA", (6, 4), (0, 0, 0, 0))
    image.putpixel((2, 1), (10, 20, 30, 255))
    pixels = load(encode(image)).pixels
    assert tuple(pixels[1, 2]) == (10, 20, 30)
    assert tuple(pixels[0, 0]) == (255, 255, 255)
    palette = Image.new("P", (4, 4), 3)
    palette.putpalette([0, 0, 0] * 8)
    assert load(encode(palette, transparency=3)).pixels.min() == 255


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_light_letters_on_nothing_lie_on_black(mode):
    image = Image.new(mode, (6, 4), (255,) * (len(mode) - 1) + (0,))
    image.putpixel((2, 1), (255,) * len(mode))
    pixels = load(encode(image)).pixels
    assert pixels[1, 2].min() == 255
    assert pixels[0, 0].max() == 0


def test_tiff_pages_are_read_one_by_one_and_a_bad_one_spoils_only_itself():
    pages = [Image.new("L", (20 + i, 10), 40 * i) for i in range(3)]
    data = encode(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    file = open_pages(data, name="book.tif")
    assert file.count == 3
    assert [file.load(n).size for n in (3, 1, 2)] == [(22, 10), (20, 10), (21, 10)]
    assert file.load(3).number == 3
    # The second directory is told to hold 60000 columns of a strip of 210 bytes.
    broken = bytearray(data)
    entry = struct.pack("<HHI", 256, 3, 1) + struct.pack("<I", 21)
    at = broken.find(entry)
    if at < 0:
        entry = struct.pack("<HHI", 256, 4, 1) + struct.pack("<I", 21)
        at = broken.find(entry)
    broken[at + 8 : at + 12] = struct.pack("<I", 60000)
    file = open_pages(bytes(broken), name="book.tif")
    with pytest.raises(PictureError, match=r"book.tif, page 2"):
        file.load(2)
    assert file.load(3).size == (22, 10)


def test_tiff_pages_of_all_kinds_keep_their_own_colours_and_resolution():
    grey = gradient()
    kinds = [grey.convert("RGB"), grey, grey.convert("1"), grey.convert("RGB").quantize(16)]
    kinds += [grey.convert("CMYK"), grey, grey.convert("RGB")]
    stream = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(stream, True) as writer:
        for number, page in enumerate(kinds, 1):
            page.save(writer, "TIFF", **({"dpi": (300, 300)} if number in (1, 4) else {}))
            writer.newFrame()
    file = open_pages(stream.getvalue())
    assert (file.count, file.problems) == (7, ())
    for number in (*range(1, 8), 4, 2, 4, 1):
        image = file.load(number)
        expected = to_pixels(kinds[number - 1])
        assert image.pixels.shape == expected.shape
        assert np.abs(image.pixels.astype(int) - expected).max() <= 1
        assert image.dpi == (300 if number in (1, 4) else None)


def entry(tag, value):
    """Bytes of a short in a little-endian TIFF directory."""
    return struct.pack("<HHIHH", tag, 3, 1, value, 0)


def test_a_tiff_page_whose_directory_is_broken_spoils_only_itself():
    pages = [Image.new("L", (20 + i, 10), 40 * i) for i in range(4)]
    data = encode(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    second = data.find(entry(259, 1), data.find(entry(259, 1)) + 1)  # its compression
    assert second > 0
    file = open_pages(data[:second] + entry(259, 9999) + data[second + 12 :], name="book.tif")
    assert (file.count, file.problems) == (4, ())
    for _ in range(2):
        with pytest.raises(PictureError, match=r"book.tif, page 2"):
            file.load(2)
        assert [file.load(n).size[0] for n in (1, 3, 4)] == [20, 22, 23]


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
@pytest.mark.parametrize(("share", "told"), [(0.45, [4]), (0.7, [5]), (0.95, [])])
def test_a_tiff_that_breaks_off_gives_the_pages_before(share, told):
    rng = np.random.default_rng(2)
    pages = [Image.fromarray(rng.integers(0, 255, (40, 50), dtype=np.uint8)) for _ in range(5)]
    data = encode(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    file = open_pages(data[: int(share * len(data))], name="book.tif")
    good = []
    for number in range(1, file.count + 1):
        with contextlib.suppress(PictureError):
            good.append(file.load(number).number)
    assert good == list(range(1, int(share * 5) + 1))
    assert file.count > len(good)
    # The directory of the page that is cut off may be whole; it tells then where the next was.
    assert [p.code for p in file.problems] == ["damaged-file" for _ in told]
    for problem, page in zip(file.problems, told, strict=True):
        assert f"breaks off at page {page};" in problem.message


@pytest.mark.parametrize(("written", "kept"), [(300, 300), (72, 72), (1, None), (30000, None)])
def test_dpi_is_kept_where_sane(written, kept):
    dpi = load(encode(gradient(), "PNG", dpi=(written, written))).dpi
    assert dpi == (None if kept is None else pytest.approx(kept, abs=0.5))


def test_arrays_and_pillow_pictures():
    values = np.asarray(gradient())
    np.testing.assert_array_equal(load(values).pixels, values)
    np.testing.assert_array_equal(load(gradient()).pixels, values)
    assert load(values > 128).pixels.max() == 255
    assert load(np.dstack([values] * 3)).pixels.shape == (30, 40, 3)
    assert load(np.dstack([values] * 4)).pixels.shape == (30, 40, 3)
    for bad in (np.zeros((0, 5), np.uint8), np.zeros((4, 4, 2), np.uint8), np.array(["a"])):
        with pytest.raises(PictureError, match="not a picture"):
            load(bad)


def test_pdf_pages():
    pages = [Image.new("L", (100, 140), shade) for shade in (255, 90)]
    data = encode(pages[0], "PDF", save_all=True, append_images=pages[1:], resolution=72)
    file = open_pages(data)
    assert file.count == 2
    second = file.load(2)
    assert second.number == 2
    assert abs(float(second.pixels.mean()) - 90) < 4
    file.close()


def test_a_broken_pdf_is_refused():
    with pytest.raises(PictureError, match="PDF is truncated or corrupt"):
        open_pages(b"%PDF-1.7\nnothing here")


def test_a_file_without_permission(tmp_path, monkeypatch):
    # Simulated, because the superuser may read everything.
    def closed(self, *_):
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "page.png"
    path.write_bytes(encode(gradient()))
    monkeypatch.setattr("pathlib.Path.open", closed)
    with pytest.raises(InputError, match=r"page.png cannot be opened: Permission denied") as caught:
        open_pages(path)
    assert caught.value.next_step == "Check the permissions."
