"""What a run learns from and what it is measured on, put together as its configuration says.

Everything is looked at before it is used, also what is held out; a stream's first samples before
the run, its others as they come.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from odia_ocr.data.sets.sample import Sample
from odia_ocr.errors import ConfigError, OdiaOcrError
from odia_ocr.recognize.vlm.inputs import VlmEncoder
from odia_ocr.train.lora.config import LoraConfig
from odia_ocr.train.lora.preflight import check_samples
from odia_ocr.train.lora.samples import (
    Labelled,
    ListedSamples,
    RenderedSamples,
    Samples,
    StreamedSamples,
    chain_samples,
    hold_out,
    list_samples,
    make_line_renderer,
)

Report = Callable[[str], None]
Tick = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """What a run has.

    Attributes:
        samples: To learn from.
        numbers: Those that may be learned from, shortest first; None where they never end.
        held_out: To measure on.
    """

    samples: Samples
    numbers: tuple[int, ...] | None
    held_out: tuple[Labelled, ...]


def open_sources(
    config: LoraConfig,
    encoder: VlmEncoder,
    *,
    report: Report,
    tick: Tick = lambda done, total: None,
) -> Sources:
    """Open and check what a run learns from and is measured on.

    Args:
        config: The run.
        encoder: Of its model.
        report: Told what was found, a line at a time.
        tick: Told how far the look at all samples is.

    Raises:
        DataError: If a set holds nothing usable.
        FileMissingError: If a set is not there.
        SampleError: If samples do not fit and are not to be left out.
        ConfigError: If samples that never end are to grow from short to long.
    """
    if config.curriculum and (config.stream or not config.data):
        raise ConfigError(
            "A curriculum needs samples that can be sorted by length.",
            next_step="Set it to 0 for streamed and rendered samples; rendered lines get longer "
            "with min_words and max_words.",
        )
    held_out = _open_named_check(config, encoder, report) if config.check else ()
    if not config.data:
        renderer = make_line_renderer(config.rendered, "train", config.seed)
        if not config.check:
            other = make_line_renderer(config.rendered, "check", config.seed + 404)
            lines = RenderedSamples(other, config.check_lines)
            held_out = tuple(lines.take(number) for number in range(config.check_lines))
        return Sources(RenderedSamples(renderer), None, held_out)
    if config.stream:
        return _open_stream(config, encoder, held_out, report, tick)
    samples = list_samples(config.data, config, report=report)
    preflight = check_samples(samples, encoder, config.misfit, tick=tick)
    for line in preflight.tell():
        report(line)
    numbers = preflight.fitting
    if not config.check:
        numbers, held = hold_out(samples, numbers, config)
        held_out = tuple(samples.take(number) for number in held)
    return Sources(samples, numbers, held_out)


def _open_named_check(
    config: LoraConfig, encoder: VlmEncoder, report: Report
) -> tuple[Labelled, ...]:
    samples = list_samples(config.check, config, report=report)
    preflight = check_samples(samples, encoder, "skip", tick=lambda done, total: None)
    for found in preflight.found:
        report(f"Left out of the held-out samples: {found.message}")
    step = max(1, len(preflight.fitting) // max(1, config.check_lines))
    chosen = sorted(preflight.fitting)[::step][: config.check_lines]
    return tuple(samples.take(number) for number in chosen)


def _open_stream(
    config: LoraConfig,
    encoder: VlmEncoder,
    held_out: tuple[Labelled, ...],
    report: Report,
    tick: Tick,
) -> Sources:
    """The first samples are held out where nothing else is; the next ones are looked at."""
    kept = 0 if config.check else config.check_lines
    first = ListedSamples(tuple(itertools.islice(_quietly(config), kept + config.buffer)))
    preflight = check_samples(first, encoder, config.misfit, tick=tick)
    for line in preflight.tell():
        report(f"{line} (of the first {len(first.listed)}; the others are checked as they come)")
    if kept:
        report(f"The first {kept} samples of the stream are held out; name --check for others.")
        held_out = tuple(first.take(n) for n in sorted(preflight.fitting) if n < kept)

    def admit(sample: Sample) -> bool:
        try:
            encoder.plan(
                sample.picture.measure(), sample.text, sample.id, shrink=config.misfit == "shrink"
            )
        except OdiaOcrError:
            if config.misfit == "reject":
                raise
            return False
        return True

    samples = StreamedSamples(
        lambda: itertools.islice(_quietly(config), kept, None),
        buffer=config.buffer,
        seed=config.seed,
        admit=admit,
    )
    return Sources(samples, None, held_out)


def _quietly(config: LoraConfig) -> Iterator[Sample]:
    return chain_samples(config.data, config, lambda said: None)
