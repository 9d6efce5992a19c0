"""What can be wrong with a line of a data set, by code, and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# Code -> what to do. The order is that of reports: the gravest first.
NEXT_STEPS: Mapping[str, str] = {
    "picture-missing": "Add the picture or remove the line.",
    "picture-unreadable": "Copy, download or cut it again, or remove the line.",
    "picture-too-large": "Scale it down; a line picture is a few hundred pixels high at most.",
    "picture-empty": "Remove the line, or cut it out of its page again.",
    "text-empty": "Write its text, or remove the line.",
    "transcription-missing": "Write its text, or remove the picture.",
    "text-several-lines": "Cut the picture into lines, each with its own text.",
    "wrong-script": "Transcribe it in Odia letters, or remove the line.",
    "outside-alphabet": "Correct the characters; training leaves such lines out.",
    "odd-length": "Compare text and picture: one of them may belong to another line.",
    "label-doubted": "Compare text and picture, and correct the text.",
    "same-picture-other-text": "Compare both lines; one text at most is right.",
    "leak-picture": "Remove the picture from one of the splits.",
    "leak-text": "Keep lines of one text in one split: odia-ocr data split.",
    "leak-near-text": "Keep copies in one split: odia-ocr data split.",
    "same-picture": "Remove one of the two.",
    "near-picture": "Remove one of the two, unless they differ on purpose.",
    "same-text": "Nothing, where it was printed twice; else remove one.",
    "near-text": "Nothing, where both were printed; else remove one.",
}
# Told, yet no fault: the exit status stays 0.
REMARKS = frozenset({"same-text", "near-text"})


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a line that should be looked at.

    Attributes:
        code: One of `NEXT_STEPS`, or that of a reader's Problem.
        set: Name of the set.
        id: Of the sample; empty where no sample could be made.
        reason: What was seen.
        next_step: What to do.
        split: Of the sample.
        other: The line it was compared with, as "SET: ID" or an id of the same set.
        reading: What an engine read, where one was asked.
    """

    code: str
    set: str
    id: str
    reason: str
    next_step: str
    split: str = ""
    other: str = ""
    reading: str = ""

    @property
    def is_fault(self) -> bool:
        """Whether something is to be done."""
        return self.code not in REMARKS


def count_codes(findings: Iterable[Finding]) -> Counter[str]:
    """How many findings there are of each code, in the order of `NEXT_STEPS`."""
    counts = Counter(finding.code for finding in findings)
    order = list(NEXT_STEPS)
    ranks = {code: order.index(code) if code in order else len(order) for code in counts}
    return Counter(
        {code: counts[code] for code in sorted(counts, key=lambda code: (ranks[code], code))}
    )
