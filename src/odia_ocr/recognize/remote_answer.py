"""What a chat server answers becomes a Hypothesis, or a clear refusal.

Log-probabilities of tokens are spread over their bytes and gathered again by character, since a
token may end in the middle of an Odia letter. Without them scores stay unknown. Answers that cannot
be the text of the line are refused: loops, broken bytes, more than the picture has room for.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from odia_ocr.errors import RecognitionError
from odia_ocr.recognize.decode.spelling import spell_symbols
from odia_ocr.recognize.vlm.symbols import ScoredToken, make_symbols
from odia_ocr.types import Hypothesis, LineImage, Symbol

# Odia print has about two code points for each line height of width, and Latin print three.
_ROOM = 12.0
_LEAST_ROOM = 24
_LOWEST = -30.0  # of a byte: servers write -9999 for impossible
_LOOP = re.compile(r"(\S.{0,15}?)\1{9,}", re.DOTALL)
_FENCE = re.compile(r"^```\w*\n(.*?)\n?```$", re.DOTALL)
_ANOTHER = "Read it with another engine (--engine ctc)."
_CHECK_MODEL = "Check that the model reads pictures, and the prompt it was tuned with."


class LoopError(RecognitionError):
    """The model repeats itself without end."""

    code = "loop"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        text: As it came, without space and code fences around it.
        tokens: With log-probabilities, special ones included; empty where the server gives none.
        ended: False when it was cut at the most tokens that were allowed.
    """

    text: str
    tokens: tuple[ScoredToken, ...] = ()
    ended: bool = True


def read_answers(reply: object) -> list[Answer]:
    """The answers in the JSON of a chat completion; one or more.

    Raises:
        RecognitionError: If it is no chat completion.
    """
    try:
        choices = [_read_choice(choice) for choice in reply["choices"]]  # type: ignore[index]
    except (LookupError, TypeError, ValueError, AttributeError):
        choices = []
    if not choices:
        raise RecognitionError(
            f"The server's answer is no chat completion: {str(reply)[:120]}",
            next_step="Check that the address is that of an OpenAI-compatible server.",
        )
    return choices


def make_hypothesis(answer: Answer, line: LineImage, *, source: str) -> Hypothesis:
    """The reading of an answer, in the usual spelling.

    Raises:
        RecognitionError: If it cannot be the text of the line.
    """
    _check(answer, line)
    tokens = find_tokens(answer.text, answer.tokens)
    if not tokens:
        letters = (Symbol(unicodedata.normalize("NFC", char), 0.0) for char in answer.text)
        symbols = spell_symbols(tuple(letters))
        return Hypothesis(symbols, 0.0, source=source, scored=not answer.text)
    # Special tokens count too: the one at the end says that nothing follows.
    whole = sum(token.logp for token in answer.tokens)
    return Hypothesis(make_symbols(tokens), whole, source=source)


def find_tokens(text: str, tokens: tuple[ScoredToken, ...]) -> tuple[ScoredToken, ...]:
    """The tokens, or pieces of tokens, that spell a text; empty where they do not.

    Around it stand special tokens, and space that was taken away. A piece keeps its share of the
    token's log-probability.
    """
    data = b"".join(token.piece for token in tokens)
    start = data.find(text.encode())
    if start < 0:
        return ()
    end = start + len(text.encode())
    found: list[ScoredToken] = []
    at = 0
    for token in tokens:
        piece = token.piece[max(0, start - at) : max(0, end - at)]
        if piece:
            found.append(ScoredToken(piece, token.logp * len(piece) / len(token.piece)))
        at += len(token.piece)
    return tuple(found)


def find_loop(text: str) -> str | None:
    """What is said ten times or more in a row and has a letter in it; None of healthy text."""
    for found in _LOOP.finditer(text):
        if any(char.isalpha() for char in found[1]):
            return found[1].strip()
    return None


def _check(answer: Answer, line: LineImage) -> None:
    height, width = line.pixels.shape[:2]
    room = max(_LEAST_ROOM, _ROOM * width / height)
    loop = find_loop(answer.text)
    if loop is not None:
        raise LoopError(f"The model repeats {loop!r} without end.", next_step=_ANOTHER)
    if "\ufffd" in answer.text:
        raise RecognitionError("The answer has broken characters.", next_step=_CHECK_MODEL)
    if not answer.ended or len(answer.text) > room:
        raise RecognitionError(
            f"The answer is longer than the line can be ({len(answer.text)} characters): "
            f"{answer.text[:40]!r}.",
            next_step=_CHECK_MODEL,
        )


def _read_choice(choice: Any) -> Answer:
    content = choice["message"]["content"] or ""
    if not isinstance(content, str):
        raise ValueError(f"content is {type(content).__name__}")
    content = content.strip()
    fenced = _FENCE.match(content)
    return Answer(
        text=fenced[1].strip() if fenced else content,
        tokens=_read_tokens(choice.get("logprobs")),
        ended=choice.get("finish_reason") != "length",
    )


def _read_tokens(record: Any) -> tuple[ScoredToken, ...]:
    """Tokens with log-probabilities; empty where one of them is missing or is none."""
    try:
        tokens = [
            ScoredToken(
                bytes(row["bytes"]) if row.get("bytes") is not None else row["token"].encode(),
                float(row["logprob"]),
            )
            for row in record["content"]
        ]
    except (LookupError, TypeError, ValueError, AttributeError):
        return ()
    if any(math.isnan(token.logp) or token.logp > 1e-3 for token in tokens):
        return ()
    return tuple(
        ScoredToken(token.piece, max(min(token.logp, 0.0), _LOWEST * max(1, len(token.piece))))
        for token in tokens
    )
