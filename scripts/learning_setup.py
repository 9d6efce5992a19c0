"""How a learning experiment begins and ends: its options, its folders, the lines of the domain.

The held-out lines of the domain are opened by `Setup.open_sets`, which experiments call when
everything is learned.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from experiment_domain import FOLDER, NAME, Part, open_domain
from learning_report import DOCS, REPORTS, RUNS, LineSet, Model, write

from odia_ocr.curate.pool import Pool
from odia_ocr.data.sets.sample import FilePicture, Sample
from odia_ocr.evaluate.scores import score_lines
from odia_ocr.language import normalise
from odia_ocr.train.adapt import TrainingLine
from odia_ocr.train.adapt_report import GENERAL, render_general
from odia_ocr.types import LineImage

HELDOUT = "heldout"


def make_parser(told: str) -> argparse.ArgumentParser:
    """The options that all experiments have; `told` is the script's docstring."""
    parser = argparse.ArgumentParser(description=told.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smoke test, in its own folder")
    parser.add_argument("--domain", type=Path, default=FOLDER)
    return parser


@dataclass(frozen=True)
class Setup:
    """What an experiment works on, and where it leaves what it finds.

    Attributes:
        name: Of the experiment, and of its folder and reports.
        parts: Of the domain.
        quick: A smoke test: few lines, and nothing leaves its own folder.
    """

    name: str
    parts: Mapping[str, Part]
    quick: bool

    @classmethod
    def of(cls, name: str, options: argparse.Namespace) -> Setup:
        """An experiment as the options of `make_parser` ask for it."""
        return cls(name, open_domain(options.domain), options.quick)

    @property
    def out(self) -> Path:
        """The folder of its runs."""
        return self.name_folder(self.name)

    @property
    def reports(self) -> Path:
        """The folder of its reports."""
        return self.out if self.quick else REPORTS

    @property
    def docs(self) -> Path | None:
        """The document that its table goes into."""
        return None if self.quick else DOCS

    @property
    def shipped(self) -> Model:
        """The shipped model, whose readings all experiments share."""
        return Model("shipped", "ctc", self.out / "shipped" if self.quick else RUNS / "shipped")

    @cached_property
    def check(self) -> LineSet:
        """The domain's lines that settings may be chosen on."""
        return open_part(self.parts["check"], "check", 10 if self.quick else None)

    def name_folder(self, name: str) -> Path:
        """A folder of runs, another one where it is quick."""
        return RUNS / (f"{name}-quick" if self.quick else name)

    def rate(self, model: Model) -> float:
        """CER of a model on the check lines."""
        return score_lines(self.check.count(model.engine, model.folder)).cer.value

    def open_sets(self) -> list[LineSet]:
        """What is measured in the end: the held-out lines of the domain, and general ones."""
        sets = [open_part(self.parts[HELDOUT], HELDOUT, 20 if self.quick else None)]
        for name in GENERAL:
            lines = render_general(name, per_family=3 if self.quick else 150)
            images = [LineImage(str(i), line.pixels) for i, line in enumerate(lines)]
            sets.append(LineSet(name, images, [line.text for line in lines]))
        return sets

    def write(
        self,
        models: Sequence[Model],
        sets: Sequence[LineSet],
        facts: Mapping[str, Any],
        after: Sequence[str] = (),
    ) -> str:
        """Measure models and write the reports, see `learning_report.write`; returns the table."""
        return write(self.name, models, sets, facts, out=self.reports, docs=self.docs, after=after)


def open_part(part: Part, name: str, count: int | None = None) -> LineSet:
    """Lines of the domain, with their texts: not for the pool."""
    names = part.names[:count]
    return LineSet(name, part.images[:count], [part.read_text(key) for key in names])


def make_pool(part: Part, count: int | None = None) -> Pool:
    """The domain's pool: pictures, and texts that are read one by one when they are asked for."""
    names = part.names[:count]
    samples = [Sample(n, FilePicture(part.folder / f"{n}.png"), "") for n in names]
    return Pool(samples, name=f"{NAME}, pool", truth=part.read_text)


def label_lines(pool: Pool, count: int, seed: int) -> list[TrainingLine]:
    """Lines of the pool that chance chooses, with their true texts."""
    order = np.random.default_rng([seed, 91]).permutation(len(pool.lines))[:count]
    chosen = [pool.lines[i] for i in sorted(order.tolist())]
    texts = pool.reveal([one.id for one in chosen])
    return [TrainingLine(one.picture.load(), normalise(texts[one.id])) for one in chosen]
