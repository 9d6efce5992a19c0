"""The small model's tokenizer and files: a symbol is a token, and transformers opens the folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from PIL import Image  # noqa: E402

from odia_ocr.language import ALPHABET  # noqa: E402
from odia_ocr.recognize.vlm.inputs import VlmEncoder  # noqa: E402
from odia_ocr.train.vlm_tiny import (  # noqa: E402
    CHAT_TEMPLATE,
    SPECIAL,
    TINY_SETTINGS,
    make_image_processor,
    make_model,
    make_tokenizer,
)
from random_vlm import SHAPE  # noqa: E402

TOKENIZER = make_tokenizer()
TEXTS = [
    "ଓଡ଼ିଆ ଭାଷାରେ ସ୍ତ୍ରୀ, ଜଗନ୍ନାଥ ।",
    "The year 2024: 50% (approx.) 'quoted' \"text\"",
    "ଓଡ଼ିଶା Odisha ୧୨୩ 123 ₹ ½ – “ok”",
    " two  spaces and an end ",
    "!?.,;:",
    "a\u200cb",
    "漢字 é",  # not in the alphabet: bytes
]


@pytest.mark.parametrize("symbol", ALPHABET.symbols)
def test_a_symbol_is_a_token(symbol: str) -> None:
    tokens = TOKENIZER(symbol)["input_ids"]
    assert len(tokens) == 1
    assert tokens[0] >= len(SPECIAL)


@pytest.mark.parametrize("text", TEXTS)
def test_texts_come_back(text: str) -> None:
    assert TOKENIZER.decode(TOKENIZER(text)["input_ids"]) == text


@given(st.text(st.sampled_from(ALPHABET.symbols), max_size=30))
def test_any_text_of_the_alphabet_has_as_many_tokens_as_symbols(text: str) -> None:
    tokens = TOKENIZER(text)["input_ids"]
    assert len(tokens) == len(text)
    assert TOKENIZER.decode(tokens) == text


def test_special_tokens_stand_first_and_apart() -> None:
    assert [TOKENIZER.convert_tokens_to_ids(name) for name in SPECIAL] == list(range(len(SPECIAL)))
    assert set(SPECIAL) <= set(TOKENIZER.all_special_tokens)
    assert TOKENIZER.eos_token == "<|im_end|>"
    assert TOKENIZER.pad_token == "<|endoftext|>"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    torch.manual_seed(1)
    model = make_model(TOKENIZER, SHAPE).eval()
    folder = tmp_path_factory.mktemp("tiny")
    transformers.utils.logging.disable_progress_bar()
    model.save_pretrained(folder)
    TOKENIZER.save_pretrained(folder)
    make_image_processor(TINY_SETTINGS).save_pretrained(folder)
    return model, folder


def test_transformers_opens_the_folder_by_its_usual_ways(saved: tuple[Any, Path]) -> None:
    model, folder = saved
    assert transformers.AutoConfig.from_pretrained(folder).model_type == "qwen2_5_vl"
    again = transformers.AutoModelForImageTextToText.from_pretrained(folder).eval()
    encoder = VlmEncoder(TOKENIZER, make_image_processor(TINY_SETTINGS), TINY_SETTINGS)
    picture = Image.radial_gradient("L").resize((200, 40))
    batch = encoder.collate(
        [encoder.encode("a", picture, "ଓଡ଼ିଆ"), encoder.encode("b", picture, "ok")]
    )
    batch.pop("labels")
    with torch.no_grad():
        assert torch.equal(model(**batch).logits, again(**batch).logits)


def test_the_tokenizer_comes_back(saved: tuple[Any, Path]) -> None:
    again = transformers.AutoTokenizer.from_pretrained(saved[1])
    assert again.chat_template == CHAT_TEMPLATE
    assert again.get_vocab() == TOKENIZER.get_vocab()
    assert set(SPECIAL) <= set(again.all_special_tokens)
    for text in TEXTS:
        assert again(text)["input_ids"] == TOKENIZER(text)["input_ids"]
        assert again.decode(again(text)["input_ids"]) == text


def test_each_narrow_line_has_the_rows_that_the_ctc_head_expects() -> None:
    encoder = VlmEncoder(TOKENIZER, make_image_processor(TINY_SETTINGS), TINY_SETTINGS)
    rows = TINY_SETTINGS.line_height // 14
    for width in range(1, 400):
        assert encoder.grid_of((width, 40), "a")[1] == rows
