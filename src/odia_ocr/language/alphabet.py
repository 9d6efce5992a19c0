"""The symbols a recognizer can put out, in one fixed order.

The order is part of every weight file: symbols are only ever added at the end. Each symbol is one
code point; spelling is `normalise`'s, so no VA, no precomposed RRA or RHA and no ASCII bar.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from odia_ocr.language.normalise import normalise

ODIA = "ଁଂଃଅଆଇଈଉଊଋଌଏଐଓଔକଖଗଘଙଚଛଜଝଞଟଠଡଢଣତଥଦଧନପଫବଭମଯରଲଳଶଷସହ଼ଽାିୀୁୂୃୄେୈୋୌ୍ୟୠୡୢୣ୦୧୨୩୪୫୬୭୮୯୰ୱ"
ASCII = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) not in "|`")
OTHER = "\u200c।\u201c\u201d\u2018\u2019\u2013•°×÷±²³½¼¾₹€£©®→"


@dataclass(frozen=True, slots=True)
class Alphabet:
    """An ordered symbol inventory; index 0 is the CTC blank, symbol i has index i + 1.

    Attributes:
        symbols: One code point each, no duplicates.
    """

    symbols: tuple[str, ...]
    _index: dict[str, int] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._index.update({symbol: i + 1 for i, symbol in enumerate(self.symbols)})
        if len(self._index) != len(self.symbols):
            twice = [s for s, n in Counter(self.symbols).items() if n > 1]
            raise ValueError(f"alphabet holds symbols twice: {twice!r}")

    def __len__(self) -> int:
        return len(self.symbols)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._index

    @property
    def size(self) -> int:
        """Number of classes of a CTC output: the symbols and the blank."""
        return len(self.symbols) + 1

    @property
    def digest(self) -> str:
        """First 12 hex digits of the SHA-256 of the symbols: names the label space."""
        return hashlib.sha256("\n".join(self.symbols).encode()).hexdigest()[:12]

    def encode(self, text: str) -> list[int]:
        """Class indices of `text`.

        Raises:
            ValueError: If a code point is not in the alphabet; the message names it.
        """
        try:
            return [self._index[char] for char in text]
        except KeyError as error:
            char = error.args[0]
            raise ValueError(f"U+{ord(char):04X} {char!r} is not in the alphabet") from None

    def decode(self, indices: Iterable[int]) -> str:
        """Text of class indices; blanks (0) are skipped."""
        return "".join(self.symbols[i - 1] for i in indices if i)


ALPHABET = Alphabet(tuple(ODIA + ASCII + OTHER))


def find_unknown(texts: Iterable[str], alphabet: Alphabet = ALPHABET) -> Counter[str]:
    """Count the code points of `texts`, after `normalise`, that the alphabet lacks."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(char for char in normalise(text) if char not in alphabet)
    return counts
