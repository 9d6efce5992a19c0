"""Only symbols of the alphabet are written, whole ones, and no loop without end."""

from __future__ import annotations

import pytest
import torch
from PIL import Image

from odia_ocr.language import ALPHABET
from odia_ocr.recognize.vlm.alphabet_guard import (
    AlphabetTable,
    LoopGuard,
    OnlyAlphabet,
    find_loop,
    list_token_bytes,
)
from odia_ocr.recognize.vlm.decoding import VlmDecoding
from odia_ocr.recognize.vlm.writing import Writer
from odia_ocr.train.vlm_tiny import make_tokenizer
from odia_ocr.types import LineImage

TOKENIZER = make_tokenizer()
END = int(TOKENIZER.eos_token_id)
TABLE = AlphabetTable(TOKENIZER, (END,))
PIECES = list_token_bytes(TOKENIZER)
IDS = {piece: i for i, piece in enumerate(PIECES) if piece}


def allowed_after(*pieces: bytes, width: int = len(TOKENIZER)) -> set[int]:
    written = [IDS[piece] for piece in pieces]
    refused = TABLE.mask([written], width)[0]
    return {i for i in range(width) if not refused[i]}


def test_at_the_border_of_a_character_symbols_and_the_end_are_allowed() -> None:
    allowed = allowed_after("କ".encode())
    assert END in allowed
    assert {IDS[symbol.encode()] for symbol in ALPHABET.symbols} <= allowed
    assert IDS["ଓ".encode()[:1]] in allowed  # a first byte alone
    assert IDS["ଓ".encode()[-1:]] not in allowed  # a last byte alone
    assert not allowed & {TOKENIZER.convert_tokens_to_ids(t) for t in ("<|image_pad|>", "|", "`")}


def test_inside_a_character_only_its_bytes_follow() -> None:
    allowed = allowed_after("କ".encode(), "କ".encode()[:2])
    assert END not in allowed
    ends = {
        symbol.encode()[2:] for symbol in ALPHABET.symbols if symbol.encode()[:2] == b"\xe0\xac"
    }
    assert {PIECES[i] for i in allowed} == ends


def test_embeddings_wider_than_the_tokenizer_are_refused() -> None:
    wide = len(TOKENIZER) + 50
    assert allowed_after("କ".encode(), width=wide) == allowed_after("କ".encode())
    scores = OnlyAlphabet(TABLE, 0)(torch.tensor([[len(TOKENIZER) + 7]]), torch.zeros(1, wide))
    assert torch.isinf(scores[0, len(TOKENIZER) :]).all()


@pytest.mark.parametrize(
    "decoding",
    [
        VlmDecoding(),
        VlmDecoding(beams=5, nbest=5),
        VlmDecoding(samples=4, temperature=3.0, seed=2),
    ],
    ids=lambda decoding: decoding.name,
)
def test_a_random_model_writes_the_alphabet_only(
    writer: Writer, lines: list[LineImage], decoding: VlmDecoding
) -> None:
    encoder = writer.vlm.encoder
    samples = [encoder.encode(x.id, Image.fromarray(x.pixels), None) for x in lines[:3]]
    end = encoder.tokenizer.eos_token_id
    made = writer.write(writer.see(samples), decoding, most=20)
    assert len(made) == 3 * (decoding.samples or decoding.nbest)
    for row in made.tolist():
        written = row[: row.index(end)] if end in row else row
        data = b"".join(PIECES[token] or b"?" for token in written)
        # One that ended is whole; one that was stopped may lack the end of its last character.
        text = data.decode("utf-8", errors="strict" if end in row else "ignore")
        assert set(text) <= {*ALPHABET.symbols, "\n"}, text
    free = writer.write(
        writer.see(samples), VlmDecoding(limited=False, samples=4, temperature=3.0), most=20
    )
    assert any(not PIECES[token] for row in free.tolist() for token in row if token != end)


def pieces_of(text: str) -> list[bytes | None]:
    return [PIECES[token] for token in TOKENIZER(text)["input_ids"]]


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("କ" * 24, 1),
        ("ଭଲ କା" * 6, 5),
        ("ଆରମ୍ଭ " + "ନା ନା " * 8, 3),
        ("abcdefghijkl" * 4, 12),
    ],
)
def test_loops_are_found(text: str, period: int) -> None:
    assert find_loop(pieces_of(text)) == period


@pytest.mark.parametrize(
    "text",
    [
        "",
        "କ" * 23,
        "ହରେ କୃଷ୍ଣ ହରେ କୃଷ୍ଣ କୃଷ୍ଣ କୃଷ୍ଣ ହରେ ହରେ",
        "ଜୟ ଜୟ ଜୟ ଜଗନ୍ନାଥ ଜୟ ଜୟ ଜୟ ଜଗନ୍ନାଥ",
        "ଝର ଝର ଝର ଝର ଝରଣା",
        "୧୦୦୦୦୦୦୦୦୦୦୦୦",
        "ପ୍ରଥମ ଅଧ୍ୟାୟ " + "." * 80,
        "ପ୍ରଥମ ଅଧ୍ୟାୟ " + ". " * 60,
        "-" * 60,
        "- = " * 20,
    ],
)
def test_ordinary_repetition_and_leaders_are_no_loops(text: str) -> None:
    assert find_loop(pieces_of(text)) == 0


def test_the_guard_refuses_the_next_round_only() -> None:
    rows = [TOKENIZER(text)["input_ids"] for text in ("କ" * 30, "ନମସ୍କାର ଓଡ଼ିଶା ବାସୀ ସବୁ ଭଲ ତ")]
    width = len(TOKENIZER)
    scores = LoopGuard(0, PIECES)(torch.tensor([rows[0]]), torch.zeros(1, width))
    assert torch.isinf(scores).nonzero().tolist() == [[0, IDS["କ".encode()]]]
    scores = LoopGuard(0, PIECES)(torch.tensor([rows[1]]), torch.zeros(1, width))
    assert torch.isfinite(scores).all()
    prompted = LoopGuard(10, PIECES)(torch.tensor([rows[0]]), torch.zeros(1, width))
    assert torch.isfinite(prompted).all()  # what stands in the prompt is not counted


def test_the_guard_leaves_a_token_to_write() -> None:
    """Within a character one byte may be all that is allowed."""
    loop = [IDS[b"\xe2"], IDS[b"\x86"], IDS[b"\x92"]]
    scores = torch.full((1, len(TOKENIZER)), -float("inf"))
    scores[0, loop[0]] = 0.0
    kept = LoopGuard(0, PIECES)(torch.tensor([loop * 10]), scores)
    assert kept[0, loop[0]] == 0.0
