"""Files broken in the ways in which files break: cut, scrambled, doubled, with odd numbers in."""

from __future__ import annotations

import random
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"

_ODD = (b"\0", b"\xff", b"\x7f", b"\x80", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff")
_WORDS = (b"-1", b"0", b"4294967296", b"1e999", b"nan", b"null", b"[]", b"{}", b'"', b"<", b"&")


def mutate(content: bytes, dice: random.Random) -> bytes:
    """A broken copy; the same for the same state of the dice."""
    data = bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 4, 16))):
        at = dice.randint(0, len(data))
        # What stands at the head of a file decides most, so it is hit more often.
        at = dice.choice((at, min(at, dice.randint(0, 64))))
        length = dice.choice((1, 2, 4, 16, 256))
        match dice.randrange(7):
            case 0:
                del data[at:]
            case 1:
                del data[at : at + length]
            case 2:
                data[at:at] = data[at : at + length]
            case 3:
                data[at : at + length] = dice.randbytes(min(length, len(data) - at))
            case 4:
                odd = dice.choice(_ODD)
                data[at : at + len(odd)] = odd
            case 5:
                data[at : at + dice.choice((0, 1, 3))] = dice.choice(_WORDS)
            case _:
                if at < len(data):
                    data[at] ^= 1 << dice.randrange(8)
    return bytes(data)
