"""The N best readings of a line that somebody looks at.

Reading keeps one reading a line, which is faster; a line that is looked at is read once more with a
wider search. Knows recognizers and line pictures; refuses to know jobs and HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from odia_ocr.language import normalise
from odia_ocr.recognize.ctc import CtcRecognizer
from odia_ocr.recognize.decode.beam import BeamDecoder
from odia_ocr.recognize.joint import JointRecognizer
from odia_ocr.types import Candidates, LineImage, Recognizer

_MOST = 9  # readings of a line
_WIDTH = 16  # prefixes of the search; as many readings as wanted must be left at its end


@dataclass(frozen=True, slots=True)
class OtherReading:
    """Another reading of a whole line.

    Attributes:
        text: Normalised.
        share: Its probability, by picture and language, as a share of that of what was read.
    """

    text: str
    share: float


def widen(recognizer: Recognizer) -> Recognizer | None:
    """The recognizer with several readings a line; None where there is no way to have them."""
    if isinstance(recognizer, JointRecognizer):
        return recognizer  # it judges the proposals of several models already
    if not isinstance(recognizer, CtcRecognizer):
        return None
    decoder = recognizer.decoder
    if not isinstance(decoder, BeamDecoder):
        decoder = BeamDecoder()
    return replace(recognizer, decoder=replace(decoder, width=_WIDTH, nbest=_MOST))


def find_others(recognizer: Recognizer, line: LineImage, text: str) -> tuple[OtherReading, ...]:
    """Other readings of a line than `text`, likeliest first.

    Args:
        recognizer: See `widen`.
        line: Its picture.
        text: What was read.
    """
    (result,) = recognizer.read([line])
    if not isinstance(result, Candidates):
        return ()
    chances: dict[str, float] = {}
    for hyp in result.hypotheses:
        spelled = normalise(hyp.text)
        chances[spelled] = chances.get(spelled, 0.0) + (hyp.posterior or 0.0)
    likeliest = max(chances.values())
    read = chances.pop(text, 0.0) or likeliest  # a wider search may have found better ones only
    if not read:
        return ()
    others = sorted(chances.items(), key=lambda item: -item[1])
    return tuple(OtherReading(other, round(p / read, 4)) for other, p in others if other)
