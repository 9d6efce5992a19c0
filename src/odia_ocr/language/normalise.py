"""One spelling per drawing, and the folding used for scoring.

`normalise` is what labels are written in and what the program puts out: spellings that no picture
can tell apart become one, the usual one. `fold` goes further, for scoring only: it also drops what
should not count as an error (ZWNJ, kinds of quotes and dashes, spaces around punctuation).
Knows the script; refuses to know fonts, pictures or dictionaries.
"""

from __future__ import annotations

import re
import unicodedata

VIRAMA = "\u0b4d"
YA, YYA = "\u0b2f", "\u0b5f"
BA, VA, WA = "\u0b2c", "\u0b35", "\u0b71"
RA = "\u0b30"
NUKTA = "\u0b3c"
DANDA = "\u0964"
ZWNJ, ZWJ = "\u200c", "\u200d"
CONSONANT = "\u0b15-\u0b28\u0b2a-\u0b30\u0b32\u0b33\u0b35-\u0b39\u0b5c\u0b5d\u0b5f\u0b71"

# After these the subscript is written with BA in most texts (counted over 13 M characters:
# MA 10377 of 10554, BA 192 of 200, CA 9 of 10, GA 21 of 39); after the other consonants with WA.
_TAKES_BA = "\u0b2e\u0b2c\u0b1a\u0b17"

_SAME_DRAWING = (
    (YA + NUKTA, YYA),
    ("\u0b05\u0b3e", "\u0b06"),  # A + AA sign draws AA
    ("\u0b0f\u0b57", "\u0b10"),  # E + AU length mark draws AI
    ("\u0b13\u0b57", "\u0b14"),  # O + AU length mark draws AU
    (VA, WA),
    ("\u0965", DANDA + DANDA),
    ("|", DANDA),
    ("\u2026", "..."),
    ("\u2014", "\u2013"),  # the length of a dash is the font's choice
    ("\u2015", "\u2013"),
    ("\u2012", "-"),
    ("\u2010", "-"),
    ("\u2011", "-"),
    ("\u2212", "-"),
    ("\u00ad", ""),
    ("\u02bc", "\u2019"),
    ("\u2032", "'"),
    ("\u2033", '"'),
    ("`", "\u2018"),
    ("\u00b4", "\u2019"),
    ("\u201e", "\u201c"),
    ("\u201a", "\u2018"),
    ("\u02da", "\u00b0"),
    ("\u00b7", "\u2022"),
    ("\ufeff", ""),
    ("\u200b", ""),
    ("\u2060", ""),
)
_HALANT_JOINER = re.compile(f"{VIRAMA}{ZWJ}(?=[{CONSONANT}])")
_STRAY_ZWNJ = re.compile(f"(?<!{VIRAMA}){ZWNJ}|{ZWNJ}(?![{CONSONANT}])")
# After RA the full letter YA carries the reph; after any other consonant it is the ya-phala.
_PHALA_YA = re.compile(f"(?<=[{CONSONANT}{NUKTA}])(?<!{RA}){VIRAMA}{YA}")
_PHALA_WA = re.compile(f"(?<=[{_TAKES_BA}]){VIRAMA}{WA}")
_PHALA_BA = re.compile(f"(?<=[{CONSONANT}{NUKTA}])(?<![{_TAKES_BA}{RA}]){VIRAMA}{BA}")
_SPACE = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def normalise(text: str) -> str:
    """Write `text` in the one usual spelling of its drawing; runs of white space become one space.

    Idempotent. NFC takes RRA and RHA apart and joins the two-part vowel signs; on top of that
    come the Odia spellings that share one drawing (ya-phala, wa-/ba-phala, VA, YYA), dandas typed
    as bars, ellipses and rare dashes, and joiners that show nothing.
    """
    text = _CONTROL.sub("", unicodedata.normalize("NFC", text))
    # Dropping a joiner can bring together what folds, so joiners go first.
    text = _HALANT_JOINER.sub(VIRAMA + ZWNJ, text).replace(ZWJ, "")
    for before, after in _SAME_DRAWING:
        if before in text:
            text = text.replace(before, after)
    while True:
        slim = _STRAY_ZWNJ.sub("", text)
        if slim == text:
            break
        text = slim
    text = unicodedata.normalize("NFC", text)
    for before, after in _SAME_DRAWING[:5]:
        if before in text:
            text = text.replace(before, after)
    text = _PHALA_YA.sub(VIRAMA + YYA, text)
    text = _PHALA_WA.sub(VIRAMA + BA, text)
    text = _PHALA_BA.sub(VIRAMA + WA, text)
    return _SPACE.sub(" ", text).strip()


_QUOTES = str.maketrans({"\u201c": '"', "\u201d": '"', "\u2018": "'", "\u2019": "'", "\u2013": "-"})
_PUNCTUATION = re.compile(r"\s*([^\w\s\u0b00-\u0b7f\u200c])\s*")
_DASHES = re.compile(r"-+")
_DOUBLE_QUOTE = re.compile("''")


def fold(text: str, *, strict: bool = False) -> str:
    """Write `text` as it is scored.

    Args:
        text: Any text.
        strict: Only NFC and white-space runs; every other difference counts.

    Returns:
        With `strict=False`: `normalise`, ZWNJ dropped, quotes, dashes and dandas in one form each,
        no spaces around punctuation.
    """
    if strict:
        return _SPACE.sub(" ", unicodedata.normalize("NFC", text)).strip()
    text = normalise(text).replace(ZWNJ, "").translate(_QUOTES)
    # Without its ZWNJ a pair may fold further (virama + YA), hence a second pass.
    text = normalise(text)
    text = _DOUBLE_QUOTE.sub('"', text)
    text = _DASHES.sub("-", text)
    return _PUNCTUATION.sub(r"\1", text).strip()
