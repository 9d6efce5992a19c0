"""Adapts a CTC model to one's own pages: some labelled lines, in minutes on a CPU.

Reads top to bottom: configuration, batches, the run. Labelled lines are seen varied, beside lines
that are rendered once and replayed, so that what the model could do before is not lost. The weights
that read held-out labelled lines best are kept, and losses on general lines count against them;
in the end the weights before are mixed in until general lines lose no more than is allowed.
"""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from odia_ocr.data.lines import make_renderer
from odia_ocr.data.recipe import Recipe
from odia_ocr.data.vary import vary_line, vary_recipe
from odia_ocr.errors import ConfigError, DataError
from odia_ocr.language import ALPHABET
from odia_ocr.recognize.line_tensor import PREPROCESSING, Geometry, line_to_pixels
from odia_ocr.train.average import average_checkpoints, average_models
from odia_ocr.train.checkpoint import open_model, read_facts, save_weights
from odia_ocr.train.ctc import CheckSet, geometry_of, learn_lines, make_check_sets, measure
from odia_ocr.train.ctc_model import CtcModel, architecture_from
from odia_ocr.train.export import export_run
from odia_ocr.train.interpolate import choose_share
from odia_ocr.train.run import LinesProgress, OnStep, Report, Run, open_folder
from odia_ocr.train.run_config import RunConfig, settings_from
from odia_ocr.train.shipped import find_shipped_weights
from odia_ocr.train.stream import Batch, clean_recipe, fits, make_batches
from odia_ocr.types import GreyPixels, Pixels

MODEL = "model.onnx"
UNMIXED = "unmixed.safetensors"
OWN = "own"  # the check set of labelled lines
_FORGOTTEN = 5.0  # what a point lost on general lines, beyond what is allowed, weighs in points
_MAX_WIDTH = 1600  # of lines after shaping, in pixels; wider ones are left out
_CHUNK_BATCHES = 8


@dataclass(frozen=True, slots=True)
class AdaptConfig(RunConfig):
    """An adaptation; see `RunConfig` for what is not named here.

    Attributes:
        batch: Lines in a batch.
        replay: Share of rendered lines, 0..1.
        replay_lines: Rendered lines that are drawn once.
        vary: How often labelled pictures are varied: 0 never, 1 as is usual.
        optimizer: "muon" or "adamw".
        patience: Validations without a better score after which a run ends.
        check_lines: General held-out lines of each of two sets.
        forget: What may be lost on them, in CER, before it counts against weights.
        mix: Mix the starting weights in until no general set loses more than that.
        mix_lines: General held-out lines of each of two sets that tell how much to mix; with few of
            them chance decides.
        fit_lines: Rendered lines that the confidence is fitted on.
    """

    steps: int = 300
    rate: float = 1e-3
    warmup: int = 20
    cooldown: float = 0.7
    check_every: int = 50
    batch: int = 32
    replay: float = 0.5
    replay_lines: int = 2000
    vary: float = 1.0
    optimizer: str = "muon"
    patience: int = 4
    check_lines: int = 128
    forget: float = 0.002
    mix: bool = True
    mix_lines: int = 512
    fit_lines: int = 1000

    def __post_init__(self) -> None:
        RunConfig.__post_init__(self)
        if not 0 <= self.replay < 1:
            raise ConfigError(f"replay must lie in 0..1 and not be 1, got {self.replay}.")
        if self.batch < 2 or self.patience < 1:
            raise ConfigError(
                f"batch must be 2 or more and patience 1 or more, got {self.batch}, "
                f"{self.patience}."
            )


def adapt_config_from(values: dict[str, Any]) -> AdaptConfig:
    """Build a configuration from plain values, as JSON holds them.

    Raises:
        ConfigError: On an unknown key.
    """
    return settings_from(AdaptConfig, values, what="adaptation")


@dataclass(frozen=True, slots=True, eq=False)
class TrainingLine:
    """A labelled line.

    Attributes:
        pixels: Grey (h, w) or RGB (h, w, 3), uint8.
        text: Normalised, in the alphabet.
        weight: How often it is seen, against the others; above 0.
        rivals: Other texts it may have, with the share of times it is learned as each; `text` has
            what is left of 1. Drawn anew each time, as the mean of their losses weighed so.
    """

    pixels: Pixels
    text: str
    weight: float = 1.0
    rivals: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Adapted:
    """What an adaptation made.

    Attributes:
        model: The .onnx file, read with `ctc:FILE`.
        weights: The .safetensors file, to start from again.
        before: CER of the starting weights on the check lines, best path; None without any.
        after: That of the kept weights.
        share: Of the adapted weights in the mix with those before, 0..1; where it is below 1,
            the adapted ones alone are in unmixed.safetensors.
        steps: Steps made.
        seconds: Of everything, export included.
    """

    model: Path
    weights: Path
    before: float | None
    after: float | None
    share: float
    steps: int
    seconds: float


def adapt_ctc(
    lines: Sequence[TrainingLine],
    out: Path,
    *,
    config: AdaptConfig | None = None,
    start: Path | None = None,
    check: Sequence[TrainingLine] = (),
    report: Report = print,
    on_step: OnStep | None = None,
) -> Adapted:
    """Adapt a model to labelled lines.

    Args:
        lines: To learn from.
        out: Folder of the run; gets config.json, log.jsonl, best.safetensors, model.onnx, model.md.
        config: Settings.
        start: Weights to begin with (safetensors with its JSON beside it); None for the shipped.
        check: Labelled lines that choose the weights and end the run; without any, the last
            weights are kept that have not forgotten too much.
        report: Receives one line of text per event.
        on_step: Receives (step, steps) after every step.

    Raises:
        ConfigError: In a folder that already holds a model or a run.
        DataError: If no line can be learned from.
        ModelMissingError: If the weights are missing or of another alphabet.
    """
    started = time.monotonic()
    config = config or AdaptConfig()
    start = start or find_shipped_weights()
    architecture = architecture_from(read_facts(start)["architecture"])
    geometry = geometry_of(architecture)
    own = _shape_lines(lines, geometry)
    if (out / MODEL).exists():
        raise ConfigError(f"{out} already holds a model.", next_step="Use another folder.")
    open_folder(out, config, resume=False)
    replay = render_replay(config.replay_lines, geometry) if config.replay else ()
    going = Run(
        out,
        config,
        partial(CtcModel, architecture),
        LinesProgress(),
        optimizer=config.optimizer,
        start_from=start,
    )
    report(f"{going}: {len(own)} labelled lines, {len(replay)} rendered ones")
    general = make_check_sets(config.check_lines, geometry)
    held = (_make_check(check, geometry),) if check else ()
    checks = (*general, *held)
    before = {each.name: measure(going.mean, each, geometry, going.device) for each in checks}
    # What is forgotten comes back when the weights are mixed.
    judge = partial(_judge, before=before, allowed=1.0 if config.mix else config.forget)
    facts = {"start": start.stem, "labelled_lines": len(own)}
    if held:  # what it began with stays, unless something reads better
        save_weights(going.mean, going.best, {"preprocessing": PREPROCESSING, **facts})
        going.progress.best = judge(before)
    chunks = _draw_chunks(own, replay, config, geometry)
    learning = learn_lines(
        going, chunks, checks, facts=facts, judge=judge, report=report, on_step=on_step
    )
    _stop_in_time(learning, going.progress, config.patience if held else config.steps, report)
    share = _mix_back(start, going, config, report) if config.mix else 1.0
    after = measure(open_model(going.best), held[0], geometry, going.device) if held else None
    export_run(going.best, out / MODEL, version=out.name, fit_lines=config.fit_lines)
    return Adapted(
        model=out / MODEL,
        weights=going.best,
        before=before.get(OWN),
        after=after,
        share=share,
        steps=going.progress.step,
        seconds=time.monotonic() - started,
    )


def _make_check(lines: Sequence[TrainingLine], geometry: Geometry) -> CheckSet:
    pixels = tuple(line_to_pixels(line.pixels, geometry) for line in lines)
    return CheckSet(OWN, pixels, tuple(line.text for line in lines))


def _judge(rates: Mapping[str, float], *, before: Mapping[str, float], allowed: float) -> float:
    """The error rate of the own check lines, and more where general ones lost too much."""
    lost = [rate - before[name] for name, rate in rates.items() if name != OWN]
    return rates.get(OWN, 0.0) + _FORGOTTEN * max(0.0, sum(lost) / len(lost) - allowed)


def _mix_back(
    start: Path, going: Run[CtcModel, LinesProgress], config: AdaptConfig, report: Report
) -> float:
    """Put as much of the starting weights into the best ones as general lines ask for."""
    models = [open_model(start), open_model(going.best)]
    geometry = geometry_of(models[0].architecture)
    general = make_check_sets(config.mix_lines, geometry)

    def rate(share: float) -> dict[str, float]:
        mixed = average_models(models, (1 - share, share)).to(going.device)
        return {each.name: measure(mixed, each, geometry, going.device) for each in general}

    share = choose_share(rate, rate(0.0), allowed=config.forget)
    if share < 1:
        save_weights(models[1], going.best.with_name(UNMIXED), read_facts(going.best)["facts"])
        average_checkpoints((start, going.best), going.best, weights=(1 - share, share))
        report(f"{1 - share:.0%} of the starting weights mixed in: general lines lost too much.")
    return share


def _stop_in_time(
    learning: Iterator[bool], progress: LinesProgress, patience: int, report: Report
) -> None:
    """Learn until the end, or until `patience` validations in a row were no better."""
    best, idle = progress.best, 0
    for validated in learning:
        if validated:
            idle = 0 if progress.best < best else idle + 1
            best = progress.best
            if idle >= patience:
                report(f"No better for {idle} validations: ended at step {progress.step}.")
                return


def part_check(
    lines: Sequence[TrainingLine], share: float, *, seed: int = 0
) -> tuple[list[TrainingLine], list[TrainingLine]]:
    """Part labelled lines into those to learn from and a share (0..1) to check with."""
    count = round(share * len(lines))
    order = np.random.default_rng([seed, 80]).permutation(len(lines)).tolist()
    return [lines[i] for i in sorted(order[count:])], [lines[i] for i in sorted(order[:count])]


@dataclass(frozen=True, slots=True, eq=False)
class _Shaped:
    """A line as the model sees it."""

    pixels: GreyPixels
    text: str
    labels: list[int]
    weight: float
    rivals: tuple[tuple[list[int], float], ...] = ()


def _shape_lines(lines: Iterable[TrainingLine], geometry: Geometry) -> list[_Shaped]:
    """Shape lines; those that no model could learn from are left out.

    Raises:
        DataError: If that is all of them.
    """
    every = [
        _Shaped(
            line_to_pixels(line.pixels, geometry),
            line.text,
            ALPHABET.encode(line.text),
            line.weight,
            tuple((ALPHABET.encode(text), share) for text, share in line.rivals),
        )
        for line in lines
    ]
    usable = [line for line in every if fits(line.pixels, line.labels, _MAX_WIDTH, geometry)]
    if not usable:
        raise DataError(
            f"None of {len(every)} labelled lines can be learned from: wider than {_MAX_WIDTH} px "
            "after scaling, or with more letters than they have room for.",
            next_step="A line picture holds one printed line; see odia-ocr data check.",
        )
    return usable


@functools.lru_cache(maxsize=2)
def render_replay(count: int, geometry: Geometry, seed: int = 31_000) -> tuple[_Shaped, ...]:
    """Rendered training lines of the shipped faces and text, a sixth of them clean."""
    full = make_renderer(seed=seed)
    clean = replace(full, recipe=clean_recipe(full.recipe))
    drawn = ((clean if i % 6 == 0 else full).render(i) for i in range(count))
    return tuple(_shape_lines((TrainingLine(line.pixels, line.text) for line in drawn), geometry))


def _draw_chunks(
    own: Sequence[_Shaped], replay: Sequence[_Shaped], config: AdaptConfig, geometry: Geometry
) -> Iterator[tuple[int, list[Batch]]]:
    """Batches of varied labelled lines and of rendered ones, without end."""
    recipe = vary_recipe(config.vary)
    weights = np.array([line.weight for line in own])
    size = config.batch * _CHUNK_BATCHES
    again = round(config.replay * size)
    for chunk in itertools.count():
        rng = np.random.default_rng([config.seed, 79, chunk])
        drawn = [
            _vary(_draw_text(own[i], rng), rng, recipe, geometry)
            for i in rng.choice(len(own), size - again, p=weights / weights.sum())
        ]
        drawn += [replay[i] for i in rng.integers(0, len(replay), again)] if again else []
        made = [(line.pixels, line.labels) for line in drawn]
        yield chunk, make_batches(made, config.batch, rng)


def _draw_text(line: _Shaped, rng: np.random.Generator) -> _Shaped:
    """The line with one of its texts."""
    at = rng.random() if line.rivals else 1.0
    for labels, share in line.rivals:
        at -= share
        if at < 0:
            return replace(line, labels=labels)
    return line


def _vary(line: _Shaped, rng: np.random.Generator, recipe: Recipe, geometry: Geometry) -> _Shaped:
    """Another picture of the line; the line itself where that leaves its letters no room."""
    pixels = line_to_pixels(vary_line(line.pixels, rng, recipe), geometry)
    if not fits(pixels, line.labels, _MAX_WIDTH, geometry):
        return line
    return replace(line, pixels=pixels)
