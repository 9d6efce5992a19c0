"""A set is divided into splits that know nothing of each other, and nothing is copied.

Lines of one source (a book, a page, a face) resemble each other in more than their text, so whole
sources go into a split. Where a line's text, or nearly that text, also stands in another split, it
stays in the smallest of them and is left out of the others: the tests keep what they test.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from odia_ocr.data.sets.copies import find_text_copies
from odia_ocr.data.sets.sample import Sample
from odia_ocr.errors import DataError, UsageError

BY_SOURCE, BY_TEXT = "source", "text"


@dataclass(frozen=True, slots=True)
class SplitLine:
    """What is needed of a line to place it: its group and its words for telling copies."""

    group: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Division:
    """Where each line went.

    Attributes:
        splits: Of each line, in order; empty for lines that were left out.
        groups: The split of each group.
        left_out: How many lines of each split were left out, as copies of lines of another.
    """

    splits: tuple[str, ...]
    groups: Mapping[str, str]
    left_out: Mapping[str, int]


def parse_shares(said: str) -> dict[str, float]:
    """Read "train=0.8,check=0.1,test=0.1".

    Raises:
        UsageError: If it is not that, or the shares do not add up to 1.
    """
    shares: dict[str, float] = {}
    step = "Write them like train=0.8,check=0.1,test=0.1; together they make 1."
    for part in said.split(","):
        name, _, value = (piece.strip() for piece in part.partition("="))
        try:
            share = float(value)
        except ValueError:
            share = 0.0
        if not name.isidentifier() or not 0 < share < 1 or name in shares:
            raise UsageError(f"--shares {said!r} is not understood at {part!r}.", next_step=step)
        shares[name] = share
    if len(shares) < 2 or abs(sum(shares.values()) - 1) > 1e-6:
        raise UsageError(
            f"--shares {said!r} makes {sum(shares.values()):g} in {len(shares)} splits.",
            next_step=step,
        )
    return shares


def find_group(sample: Sample, by: str) -> str:
    """What a line is kept together with: its source, or a field that the set has of it.

    Raises:
        UsageError: If it has no such field; the message lists those it has.
    """
    if by in (BY_SOURCE, BY_TEXT):
        return sample.source
    fields = dict(sample.extras)
    if by not in fields:
        raise UsageError(
            f"{sample.id} has no field {by!r} to divide by.",
            next_step=f"Divide by one of: {', '.join([BY_SOURCE, BY_TEXT, *fields])}.",
        )
    return str(fields[by])


def divide(lines: Sequence[SplitLine], shares: Mapping[str, float], *, seed: int) -> Division:
    """Place lines into splits.

    Groups are dealt out in a random order, each to the split that lacks most; so shares are met as
    well as whole groups allow.

    Args:
        lines: In order.
        shares: Of each split, as parts of 1.
        seed: Same lines and seed, same division.

    Raises:
        DataError: If there are fewer groups than splits.
    """
    sizes = Counter(line.group for line in lines)
    if len(sizes) < len(shares):
        raise DataError(
            f"{len(lines)} lines of {len(sizes)} sources ({_show(sizes)}) make no"
            f" {len(shares)} splits.",
            next_step="Divide by another field (--by FIELD), or by text alone: --by text.",
        )
    groups = _deal(sizes, shares, seed)
    splits = [groups[line.group] for line in lines]
    left_out = _part_copies(lines, splits, shares)
    return Division(tuple(splits), groups, left_out)


def _show(sizes: Mapping[str, int]) -> str:
    return ", ".join(list(sizes)[:3]) or "none"


def _deal(sizes: Mapping[str, int], shares: Mapping[str, float], seed: int) -> dict[str, str]:
    order = sorted(sizes)
    random.Random(seed).shuffle(order)
    # Large groups first: they can only be balanced while much is still to be dealt.
    order.sort(key=lambda group: -sizes[group])
    total = sum(sizes.values())
    filled = dict.fromkeys(shares, 0)
    groups: dict[str, str] = {}
    for position, group in enumerate(order):
        empty = [name for name in shares if not filled[name]]
        # The last groups go to splits that have none yet.
        open_to = empty if len(empty) >= len(order) - position else list(shares)
        split = max(open_to, key=lambda name: shares[name] - filled[name] / total)
        groups[group] = split
        filled[split] += sizes[group]
    return groups


def _part_copies(
    lines: Sequence[SplitLine], splits: list[str], shares: Mapping[str, float]
) -> dict[str, int]:
    """Leave out of the larger splits what also stands in a smaller one; changes `splits`."""
    left_out: Counter[str] = Counter()
    families = group_copies([line.words for line in lines])
    for members in families:
        found = {splits[i] for i in members}
        kept = min(found, key=lambda name: (shares[name], list(shares).index(name)))
        for i in members:
            if splits[i] != kept:
                left_out[splits[i]] += 1
                splits[i] = ""
    return dict(left_out)


def group_copies(lines: Sequence[Sequence[str]]) -> list[tuple[int, ...]]:
    """Numbers of the lines that are copies or near-copies of each other, over any number of steps.

    Args:
        lines: Words of each line, see `find_letter_words`.

    Returns:
        Families of two lines or more.
    """
    parents = list(range(len(lines)))

    def root(i: int) -> int:
        while parents[i] != i:
            parents[i] = parents[parents[i]]
            i = parents[i]
        return i

    for copy in find_text_copies(lines):
        parents[root(copy.second)] = root(copy.first)
    families: dict[int, list[int]] = defaultdict(list)
    for i in range(len(lines)):
        families[root(i)].append(i)
    return [tuple(members) for members in families.values() if len(members) > 1]


def group_by_text(lines: Sequence[Sequence[str]]) -> list[str]:
    """A group for each line: copies of one text share it, every other line has its own."""
    groups = [f"line-{i}" for i in range(len(lines))]
    for members in group_copies(lines):
        for i in members:
            groups[i] = f"line-{members[0]}"
    return groups
