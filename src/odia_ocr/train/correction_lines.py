"""Lines that the correction dictionary is fitted to: rendered, read, their text known.

Of the split "check"; one half of its texts fits, the other is left to measure.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from odia_ocr.correct.dictionary import NBEST, RIVALS, WIDTH
from odia_ocr.data.compose import Mix
from odia_ocr.data.lines import LineRenderer, make_renderer
from odia_ocr.data.recipe import CLEAN, TRAINING
from odia_ocr.data.texts import TextPool, load_pool
from odia_ocr.errors import UsageError
from odia_ocr.recognize.ctc import CtcRecognizer
from odia_ocr.recognize.decode.beam import BeamDecoder
from odia_ocr.recognize.decode.greedy import GreedyDecoder
from odia_ocr.types import Candidates, Decoder, LineImage

RUNNING = Mix(running=1.0, words=0.0, numbers=0.0, latin=0.0, rare=0.0, min_words=3, max_words=10)
DAMAGED = replace(TRAINING, name="check-1", strength=0.7, pen=0.0, proportion=0.0)
# Shares of the fitting lines: recipe, kind of text.
_PARTS = (
    (0.65, DAMAGED, RUNNING),
    (0.25, DAMAGED, Mix(min_words=3, max_words=10)),
    (0.10, CLEAN, RUNNING),
)
_PORTION = 32


@dataclass(frozen=True, slots=True)
class KnownLine:
    """Candidates of a line whose text is known."""

    cands: Candidates
    truth: str


def find_half(line: str) -> int:
    """Which half of the texts a line belongs to: 0 fits, 1 measures."""
    return int(hashlib.sha1(b"h" + line.encode()).hexdigest(), 16) % 2


def take_half(pool: TextPool, half: int) -> TextPool:
    """The lines and words of one half."""
    return TextPool(
        *(
            tuple(text for text in texts if find_half(text) == half)
            for texts in (pool.lines, pool.words, pool.latin)
        )
    )


def read_fitting_lines(
    recognizer: CtcRecognizer, *, count: int, seed: int = 5100
) -> dict[str, list[KnownLine]]:
    """Render the fitting lines and read them, for each way of decoding."""
    pool = take_half(load_pool("check"), 0)
    known: dict[str, list[KnownLine]] = {}
    for i, (share, recipe, mix) in enumerate(_PARTS):
        renderer = make_renderer(split="check", seed=seed + i, recipe=recipe, mix=mix, pool=pool)
        for name, lines in read_lines(recognizer, renderer, max(1, round(share * count))).items():
            known.setdefault(name, []).extend(lines)
    return known


def read_lines(
    recognizer: CtcRecognizer, renderer: LineRenderer, count: int
) -> dict[str, list[KnownLine]]:
    """Read the first lines of a renderer, for each way of decoding."""
    decoders = list_decoders(recognizer)
    known: dict[str, list[KnownLine]] = {name: [] for name in decoders}
    for start in range(0, count, _PORTION):
        drawn = [renderer.render(i) for i in range(start, min(start + _PORTION, count))]
        images = [LineImage(str(start + i), line.pixels) for i, line in enumerate(drawn)]
        for emission, line in zip(recognizer.emit(images), drawn, strict=True):
            for name, decoder in decoders.items():
                cands = Candidates(emission.line_id, decoder(emission))
                known[name].append(KnownLine(cands, line.text))
    return known


def list_decoders(recognizer: CtcRecognizer) -> dict[str, Decoder]:
    """The ways of decoding that the dictionary is fitted to.

    Raises:
        UsageError: If the recognizer has no beam search.
    """
    beam = recognizer.decoder
    if not isinstance(beam, BeamDecoder):
        raise UsageError(f"{recognizer.name} has no beam search to fit a dictionary to.")
    return {
        "path": GreedyDecoder("path", RIVALS),
        "beam": replace(beam, width=WIDTH, nbest=NBEST, alternatives=RIVALS),
    }
