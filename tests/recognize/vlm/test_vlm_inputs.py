"""Picture and tokens always match: each known way to part them is stopped, naming the sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from odia_ocr.errors import SampleError
from odia_ocr.recognize.vlm.inputs import (
    IGNORED,
    IMAGE_TOKEN,
    EncodedSample,
    VlmEncoder,
    check_batch,
    count_tokens,
)
from odia_ocr.recognize.vlm.line_picture import fit_line
from odia_ocr.recognize.vlm.settings import PATCH, VlmSettings
from odia_ocr.train.vlm_tiny import CHAT_TEMPLATE, make_image_processor, make_tokenizer

LIMITS = VlmSettings(prompt="OCR", line_height=56, max_pixels=80 * PATCH * PATCH, max_tokens=160)
PAGES = replace(LIMITS, line_height=0)
TOKENIZER = make_tokenizer()


def make_encoder(limits: VlmSettings = LIMITS) -> VlmEncoder:
    return VlmEncoder(TOKENIZER, make_image_processor(limits), limits)


ENCODER, PAGE_ENCODER = make_encoder(), make_encoder(PAGES)


def make_picture(width: int, height: int) -> Image.Image:
    rng = np.random.default_rng([width, height])
    return Image.fromarray(rng.integers(0, 256, (height, width), dtype=np.uint8))


def encode(name: str, width: int = 150, text: str | None = "ଓଡ଼ିଆ") -> EncodedSample:
    return ENCODER.encode(name, make_picture(width, 40), text)


def make_batch() -> dict[str, Tensor]:
    return ENCODER.collate([encode("a"), encode("b", 90), encode("c", 260)])


def check(batch: dict[str, Tensor]) -> None:
    check_batch(batch, ENCODER.image_id, ENCODER.merge, ["a", "b", "c"])


# What parts tokens and pixels after they were made together.


def test_a_whole_batch_passes() -> None:
    check(make_batch())


def cut_ids(batch: dict[str, Tensor]) -> None:
    for key in ("input_ids", "attention_mask", "mm_token_type_ids", "labels"):
        batch[key] = batch[key][:, :12]


def drop_picture(batch: dict[str, Tensor]) -> None:
    ids = batch["input_ids"]
    ids[1][ids[1] == ENCODER.image_id] = ENCODER.pad_id


def leave_unexpanded(batch: dict[str, Tensor]) -> None:
    drop_picture(batch)
    batch["input_ids"][1, 3] = ENCODER.image_id


def add_placeholder(batch: dict[str, Tensor]) -> None:
    batch["input_ids"][1, -1] = ENCODER.image_id


def take_pad_for_picture(batch: dict[str, Tensor]) -> None:
    batch["input_ids"][batch["attention_mask"] == 0] = ENCODER.image_id


def give_some_grids(batch: dict[str, Tensor]) -> None:
    batch["image_grid_thw"] = batch["image_grid_thw"][:2]


def reorder_pictures(batch: dict[str, Tensor]) -> None:
    batch["image_grid_thw"] = batch["image_grid_thw"][[2, 0, 1]]


def forget_kinds(batch: dict[str, Tensor]) -> None:
    del batch["mm_token_type_ids"]


def mistake_kinds(batch: dict[str, Tensor]) -> None:
    batch["mm_token_type_ids"] = torch.zeros_like(batch["mm_token_type_ids"])


def lose_columns(batch: dict[str, Tensor]) -> None:
    for key in ("pixel_values", "image_grid_thw"):
        del batch[key]


def cut_as_data_parallel(batch: dict[str, Tensor]) -> None:
    """What `nn.DataParallel` hands to one of three GPUs: a third of the rows and of all patches."""
    for key, value in batch.items():
        batch[key] = value.chunk(3)[0]


def stack_pixels(batch: dict[str, Tensor]) -> None:
    batch["pixel_values"] = batch["pixel_values"][None]


def lose_patches(batch: dict[str, Tensor]) -> None:
    batch["pixel_values"] = batch["pixel_values"][4:]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (cut_ids, "Sample a: 8 image tokens, .* the sequence was cut"),
        (drop_picture, "Sample b: 0 image tokens, .* dropped the picture"),
        (leave_unexpanded, "Sample b: 1 image tokens, .* never expanded"),
        (add_placeholder, "Sample b: 11 image tokens, .* gives 10 .* expanded twice"),
        (take_pad_for_picture, "Sample a: .* or is the pad token"),
        (give_some_grids, "Samples a, b, c: 3 sequences, but 2 pictures"),
        (reorder_pictures, "Sample a: .* features"),
        (lose_columns, "Samples a, b, c: .* no pixel_values, image_grid_thw.*remove_unused"),
        (forget_kinds, "Samples a, b, c: .* no mm_token_type_ids"),
        (mistake_kinds, "Sample a: mm_token_type_ids is wrong"),
        (stack_pixels, "Samples a, b, c: .*do not stack them"),
        (lose_patches, "Samples a, b, c: .* the grids hold"),
        (cut_as_data_parallel, r"Samples a, b.*: pixel_values is .*nn\.DataParallel"),
    ],
)
def test_what_parts_tokens_and_pixels_is_named(
    damage: Callable[[dict[str, Tensor]], None], says: str
) -> None:
    batch = make_batch()
    damage(batch)
    with pytest.raises(SampleError, match=says):
        check(batch)


def test_sums_that_agree_do_not_hide_rows_that_differ() -> None:
    first, second = encode("first", 150), encode("second", 90)
    one = first.tokens.index(ENCODER.image_id)
    moved = replace(
        first,
        tokens=first.tokens[:one] + first.tokens[one + 1 :],
        labels=first.labels[1:],
    )
    more = replace(
        second,
        tokens=(*second.tokens, ENCODER.image_id),
        labels=(*second.labels, IGNORED),
    )
    with pytest.raises(SampleError, match="Sample first"):
        ENCODER.collate([moved, more])


# What would part them while they are made.


class OddProcessor:
    """An image processor that does something else than it is told."""

    merge_size, patch_size = 2, 14

    def __init__(self, change: Callable[[dict[str, Any]], None]) -> None:
        self._inner, self._change = make_image_processor(LIMITS), change

    def __call__(self, **options: Any) -> Any:
        if "size" in options:
            self._change(options)
        made = self._inner(**{k: v for k, v in options.items() if k != "turn"})
        if "turn" in options:
            made["image_grid_thw"] = made["image_grid_thw"][:, [0, 2, 1]]
        return made


@pytest.mark.parametrize(
    "change",
    [
        lambda options: options.update(turn=True),
        lambda options: options.update(
            size={"shortest_edge": 3136, "longest_edge": 6 * PATCH * PATCH}
        ),
        lambda options: options.update(images=[options["images"][0].resize((300, 300))]),
    ],
    ids=["transposed grid", "other pixel limits", "resized after the text"],
)
def test_pixels_that_are_not_those_of_the_text_are_refused(change: Any) -> None:
    encoder = VlmEncoder(TOKENIZER, OddProcessor(change), LIMITS)
    with pytest.raises(SampleError, match=r"Sample mine: .* grid 1 x .* stand for 1 x 4 x 16"):
        encoder.encode("mine", make_picture(150, 40), "ଓଡ଼ିଆ")


def test_patches_and_grid_are_one() -> None:
    sample = encode("mine")
    with pytest.raises(SampleError, match="Sample mine: patches of shape"):
        replace(sample, grid=(1, 4, 18))
    with pytest.raises(SampleError, match="Sample mine: patches of shape"):
        replace(sample, patches=sample.patches[None])
    with pytest.raises(SampleError, match=r"Sample mine: .* labels"):
        replace(sample, tokens=sample.tokens[:9])


@pytest.mark.parametrize("special", [IMAGE_TOKEN, "<|im_end|>", "<|vision_start|>"])
def test_special_tokens_in_a_text_are_refused(special: str) -> None:
    with pytest.raises(SampleError, match=rf"Sample mine: .*{special[2:-2]}"):
        encode("mine", text=f"ଓଡ଼ିଆ{special}")


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_text_is_refused(text: str) -> None:
    with pytest.raises(SampleError, match="Sample mine: its text is empty"):
        encode("mine", text=text)


def test_what_is_too_long_is_refused_whole() -> None:
    with pytest.raises(SampleError, match=r"Sample mine: \d+ tokens, 16 of them .*1 x 4 x 16"):
        encode("mine", text="କ" * 200)


@pytest.mark.parametrize("size", [(40, 8001), (8001, 40), (1, 201)])
def test_strips_that_no_model_takes_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(SampleError, match=r"Sample strip: .* 200 times"):
        ENCODER.encode("strip", make_picture(*size), None)


@pytest.mark.parametrize("size", [(1, 1), (1, 200), (200, 1), (8000, 40), (3000, 2000)])
def test_pictures_at_the_limits_are_taken(size: tuple[int, int]) -> None:
    for encoder in (ENCODER, PAGE_ENCODER):
        sample = encoder.encode("odd", make_picture(*size), None)
        held = sum(token == encoder.image_id for token in sample.tokens)
        assert held == count_tokens(sample.grid, encoder.merge) == len(sample.patches) // 4
        assert len(sample.tokens) <= LIMITS.max_tokens


class OddTokenizer:
    """A tokenizer with something changed."""

    def __init__(self, **changed: Any) -> None:
        self._changed = changed

    def __getattr__(self, name: str) -> Any:
        return self._changed.get(name, getattr(TOKENIZER, name)) if name != "_changed" else None

    def __call__(self, text: str, **options: Any) -> Any:
        return TOKENIZER(text, **options)


@pytest.mark.parametrize(
    ("template", "places"),
    [
        (CHAT_TEMPLATE.replace(IMAGE_TOKEN, ""), 0),
        (CHAT_TEMPLATE.replace(IMAGE_TOKEN, IMAGE_TOKEN * 2), 2),
    ],
)
def test_a_template_must_hold_the_picture_once(template: str, places: int) -> None:
    tokenizer = make_tokenizer()
    tokenizer.chat_template = template
    with pytest.raises(SampleError, match=f"gives {places} places"):
        VlmEncoder(tokenizer, make_image_processor(LIMITS), LIMITS)


def test_a_prompt_must_not_hold_the_placeholder() -> None:
    with pytest.raises(SampleError, match="gives 2 places"):
        make_encoder(replace(LIMITS, prompt=f"Read {IMAGE_TOKEN}"))


@pytest.mark.parametrize("pad", [None, ENCODER.image_id])
def test_the_pad_token_is_no_placeholder(pad: int | None) -> None:
    tokenizer = OddTokenizer(pad_token_id=pad)
    with pytest.raises(SampleError, match="pad token"):
        VlmEncoder(tokenizer, make_image_processor(LIMITS), LIMITS)


def test_samples_to_learn_and_to_read_are_not_mixed() -> None:
    with pytest.raises(SampleError, match="with and without a text"):
        ENCODER.collate([encode("a"), encode("b", text=None)])


# What comes out.


def test_padding_is_left_to_read_and_right_to_learn() -> None:
    read = ENCODER.collate([encode("a", 90, None), encode("b", 260, None)])
    assert read["attention_mask"][0, 0] == 0
    assert read["attention_mask"][:, -1].tolist() == [1, 1]
    assert "labels" not in read
    learn = ENCODER.collate([encode("a", 90), encode("b", 260)])
    assert learn["attention_mask"][:, 0].tolist() == [1, 1]
    assert learn["attention_mask"][0, -1] == 0
    answer = learn["labels"][0][learn["labels"][0] >= 0].tolist()
    assert TOKENIZER.decode(answer) == "ଓଡ଼ିଆ<|im_end|>\n"
    assert (learn["labels"][learn["input_ids"] == ENCODER.image_id] == IGNORED).all()


def test_reading_and_learning_share_the_prompt() -> None:
    read, learn = encode("a", text=None), encode("a")
    assert learn.tokens[: len(read.tokens)] == read.tokens
    assert torch.equal(read.patches, learn.patches)


def test_patches_are_joined_in_the_order_of_the_rows() -> None:
    samples = [encode("a", 90), encode("b", 260), encode("c", 120)]
    batch = ENCODER.collate(samples)
    parts = batch["pixel_values"].split([len(sample.patches) for sample in samples])
    for sample, part, grid in zip(samples, parts, batch["image_grid_thw"], strict=True):
        assert torch.equal(part, sample.patches)
        assert tuple(grid.tolist()) == sample.grid


def test_a_sequence_is_counted_without_making_it() -> None:
    assert ENCODER.plan((150, 40), "ଓଡ଼ିଆ", "a").length == len(encode("a").tokens)
    assert ENCODER.plan((150, 40), None, "a").length == len(encode("a", text=None).tokens)


@settings(max_examples=60)
@given(st.integers(1, 900), st.integers(1, 300), st.sampled_from([0, 28, 84]))
def test_the_grid_is_the_one_that_the_processor_makes(
    width: int, height: int, line_height: int
) -> None:
    if max(width, height) > 200 * min(width, height):
        return
    limits = replace(LIMITS, line_height=line_height)
    encoder = make_encoder(limits)
    picture = fit_line(Image.new("L", (width, height)), limits)
    made = make_image_processor(limits)(images=[picture], return_tensors="np")
    assert encoder.grid_of((width, height), "a") == tuple(made["image_grid_thw"][0].tolist())


# Pictures.


@given(st.integers(1, 400), st.integers(4, 90))
def test_fit_line_stretches_nothing(width: int, height: int) -> None:
    """The writing keeps its proportions, and the processor finds nothing left to scale."""
    picture = Image.new("L", (width, height), 0)
    picture.paste(255, (0, 0, width, max(1, height // 2)))
    fitted = fit_line(picture, LIMITS)
    wide = max(1, round(width * 56 / height))
    assert fitted.height == 56
    assert fitted.width % PATCH == 0
    assert fitted.width - wide < max(PATCH, LIMITS.min_pixels // 56)
    if fitted.width * 56 <= LIMITS.max_pixels:
        _, rows, columns = ENCODER.grid_of((width, height), "a")
        assert (columns * 14, rows * 14) == fitted.size


def test_fit_line_fills_up_with_the_colour_of_the_border() -> None:
    fitted = np.asarray(fit_line(Image.new("RGB", (75, 56), (200, 180, 90)), LIMITS))
    assert (fitted == (200, 180, 90)).all()


def draw_letter(mode: str) -> Image.Image:
    """A black bar on white, in any mode; where there is transparency, white is transparent."""
    ink = np.zeros((40, 100), bool)
    ink[10:30, 20:60] = True
    grey = Image.fromarray(np.where(ink, 0, 255).astype(np.uint8))
    if mode in ("LA", "RGBA"):
        clear = Image.new(mode, grey.size, 0)
        clear.putalpha(Image.fromarray(np.where(ink, 255, 0).astype(np.uint8)))
        return clear
    if mode == "I;16":
        return Image.fromarray(np.where(ink, 0, 65535).astype(np.uint16))
    if mode == "P with transparency":
        clear = grey.convert("P")
        clear.info["transparency"] = clear.getpixel((0, 0))
        return clear
    return grey.convert(mode)


@pytest.mark.parametrize(
    "mode",
    ["1", "L", "LA", "P", "P with transparency", "RGB", "RGBA", "CMYK", "I", "I;16", "F"],
)
def test_a_picture_of_any_mode_looks_the_same(mode: str) -> None:
    plain = np.asarray(fit_line(draw_letter("RGB"), LIMITS), np.int64)
    other = np.asarray(fit_line(draw_letter(mode), LIMITS), np.int64)
    assert np.abs(other - plain).max() <= 1
