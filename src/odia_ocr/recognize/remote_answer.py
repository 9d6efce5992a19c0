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
from odia_ocr.types import Hypothesis, LineImage, Symbol

# Odia print has about two code points for each line height of width, and Latin print three.
_ROOM = 12.0
_LEAST_ROOM = 24
_LOWEST = -30.0  # of a byte: servers write -9999 for impossible
_LOOP = re.compile(r"(\S.{0,15}?)\1{9,}", re.DOTALL)
_FENCE = re.compile(r"^```\w*\n(.*?)\n?```$", re.DOTALL)
_ANOTHER = "Read it with another engine (--engine ctc)."
_CHECK_MODEL = "Check that the model reads pictures, and the prompt it was tuned with."


@dataclass(frozen=True, slots=True)
class Token:
    """A token of an answer: its bytes, which may be part of a letter, and its log-probability."""

    data: bytes
    logp: float


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        text: As it came, without space and code fences around it.
        tokens: With log-probabilities, special ones included; empty where the server gives none.
        ended: False when it was cut at the most tokens that were allowed.
    """

    text: str
    tokens: tuple[Token, ...] = ()
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
    scored = spread_tokens(answer.text, answer.tokens)
    symbols = scored or tuple(Symbol(_compose(char), 0.0) for char in answer.text)
    return Hypothesis(
        spell_symbols(symbols),
        # Special tokens count too: the one at the end says that nothing follows.
        sum((token.logp for token in answer.tokens), 0.0) if scored else 0.0,
        source=source,
        scored=bool(scored) or not answer.text,
    )


def spread_tokens(text: str, tokens: tuple[Token, ...]) -> tuple[Symbol, ...]:
    """A symbol for each code point, with the log-probability of its bytes.

    A token's log-probability is shared evenly by its bytes. Empty where the tokens do not spell
    the text.
    """
    start = b"".join(token.data for token in tokens).find(text.encode())
    if start < 0 or not tokens:
        return ()
    shares = [token.logp / len(token.data) for token in tokens for _ in token.data][start:]
    symbols: list[Symbol] = []
    at = 0
    for char in text:
        end = at + len(char.encode())
        symbols.append(Symbol(_compose(char), sum(shares[at:end])))
        at = end
    return tuple(symbols)


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
        raise RecognitionError(f"The model went round in circles: {loop!r}.", next_step=_ANOTHER)
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


def _read_tokens(record: Any) -> tuple[Token, ...]:
    """Tokens with log-probabilities; empty where one of them is missing or is none."""
    try:
        tokens = [
            Token(
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
        Token(token.data, max(min(token.logp, 0.0), _LOWEST * max(1, len(token.data))))
        for token in tokens
    )


def _compose(char: str) -> str:
    return unicodedata.normalize("NFC", char)
