"""A vision-language model as a recognizer: order, batches, loops, memory, lines that fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from odia_ocr.errors import UsageError
from odia_ocr.recognize import open_page_reader, open_recognizer
from odia_ocr.recognize.vlm.decoding import VlmDecoding
from odia_ocr.recognize.vlm.inputs import EncodedSample
from odia_ocr.recognize.vlm.opening import OpenVlm
from odia_ocr.recognize.vlm.reader import SingleSpeaker, Speaker, VlmRecognizer, load
from odia_ocr.recognize.vlm.writing import Seen, Writer
from odia_ocr.types import Candidates, LineImage, Problem

NO_RETRY = VlmDecoding(retries=())


@pytest.fixture(scope="module")
def reader(vlm: OpenVlm, writer: Writer) -> VlmRecognizer:
    return VlmRecognizer(vlm.name, vlm, SingleSpeaker(writer), decoding=NO_RETRY)


@dataclass
class FakeSpeaker:
    """Writes what it is told, by the width of the picture; remembers how it was asked."""

    writer: Writer
    say: dict[int, list[str]]
    most_rows: int = 100
    asked: list[tuple[int, float]] = field(default_factory=list)

    def look(self, samples: Sequence[EncodedSample]) -> Seen:
        return self.writer.see(samples)

    def write(self, seen: Seen, decoding: VlmDecoding, most: int) -> tuple[Tensor, Tensor]:
        self.asked.append((len(seen.ids), decoding.temperature if decoding.samples else 0.0))
        if len(seen.ids) > self.most_rows:
            raise torch.OutOfMemoryError("no memory")
        tokenizer = self.writer.vlm.encoder.tokenizer
        texts = []
        for width in (seen.grids[:, 2] * 14).tolist():
            texts.append(self.say[width].pop(0) if len(self.say[width]) > 1 else self.say[width][0])
        rows = [tokenizer(text)["input_ids"] for text in texts]
        length = max(map(len, rows))
        pad = self.writer.vlm.encoder.pad_id
        written = torch.tensor([[*row, *[pad] * (length - len(row))] for row in rows])
        return written, torch.zeros(*written.shape, len(tokenizer)).log_softmax(-1)


def draw_lines(widths: Sequence[int]) -> list[LineImage]:
    """Pictures that become as many pixels wide as given."""
    rng = np.random.default_rng(1)
    return [
        LineImage(f"w{width}", rng.integers(0, 256, (56, width), dtype=np.uint8))
        for width in widths
    ]


def use(reader: VlmRecognizer, speaker: Speaker, **changes: object) -> VlmRecognizer:
    return replace(reader, speaker=speaker, decoding=VlmDecoding(), **changes)  # type: ignore[arg-type]


def show(results: Sequence[Candidates | Problem]) -> list[list[str] | str]:
    return [
        [hyp.text for hyp in r.hypotheses] if isinstance(r, Candidates) else r.code for r in results
    ]


@pytest.mark.parametrize(
    "decoding",
    [
        NO_RETRY,
        VlmDecoding(),
        VlmDecoding(beams=3, nbest=3, retries=(), most=12),
        VlmDecoding(samples=3, temperature=2.0, retries=(), most=24),
    ],
    ids=["greedy", "retried", "beams", "draws"],
)
def test_a_batch_equals_singles_in_any_order(
    reader: VlmRecognizer, lines: list[LineImage], decoding: VlmDecoding
) -> None:
    reader = reader.with_decoding(decoding)
    together = reader.read(lines)
    names = [r.line_id for r in together]
    assert names == [line.id for line in lines]
    assert any(isinstance(r, Candidates) for r in together)
    alone = [reader.read([line])[0] for line in lines[:4]]
    assert show(alone) == show(together[:4])
    assert show(replace(reader, batch=2).read(lines[::-1])) == show(together)[::-1]


def test_blank_lines_are_not_shown_to_the_model(reader: VlmRecognizer) -> None:
    blank = LineImage("blank", np.full((40, 300), 200, np.uint8))
    assert reader.read([]) == []
    (result,) = use(reader, FakeSpeaker(reader.speaker.writer, {})).read([blank])
    assert isinstance(result, Candidates)
    assert [hyp.text for hyp in result.hypotheses] == [""]


def test_readings_are_distinct_and_ordered(reader: VlmRecognizer, lines: list[LineImage]) -> None:
    ways = (VlmDecoding(beams=5, nbest=5, most=20), VlmDecoding(samples=6, seed=1, most=20))
    for decoding in ways:
        for result in reader.with_decoding(replace(decoding, retries=())).read(lines[:3]):
            if isinstance(result, Problem):
                continue
            hyps = result.hypotheses
            assert len({hyp.text for hyp in hyps}) == len(hyps)
            assert [h.optical_logp for h in hyps] == sorted(
                (h.optical_logp for h in hyps), reverse=True
            )
            assert all(hyp.source == f"{reader.name}/{decoding.name}" for hyp in hyps)
            if len(hyps) > 1:
                assert sum(h.posterior or 0.0 for h in hyps) == pytest.approx(1.0)


def test_beams_give_several_readings(reader: VlmRecognizer, lines: list[LineImage]) -> None:
    (result,) = reader.with_decoding(VlmDecoding(beams=5, nbest=5)).read(lines[:1])
    assert isinstance(result, Candidates)
    assert len(result.hypotheses) > 1


def test_a_loop_is_tried_again_warmer_and_warmer(reader: VlmRecognizer) -> None:
    loop = "କ" * 40
    speaker = FakeSpeaker(
        reader.speaker.writer,
        {56: ["ଭଲ<|im_end|>"], 84: [loop, loop + "<|im_end|>", "ଶେଷ<|im_end|>"], 112: [loop]},
    )
    results = use(reader, speaker).read(draw_lines((84, 56, 112)))
    assert show(results) == [["ଶେଷ"], ["ଭଲ"], "loop"]
    assert speaker.asked == [(3, 0.0), (2, 0.3), (2, 0.6), (1, 0.9)]
    problem = results[2]
    assert isinstance(problem, Problem)
    assert problem.line_id == "w112"
    assert problem.next_step


def test_leaders_are_no_loop(reader: VlmRecognizer) -> None:
    text = "ଅଧ୍ୟାୟ " + "." * 50 + " ୭"
    speaker = FakeSpeaker(reader.speaker.writer, {560: [text + "<|im_end|>"]})
    assert show(use(reader, speaker).read(draw_lines((560,)))) == [[text]]


def test_a_text_longer_than_its_own_limit_has_no_end(reader: VlmRecognizer) -> None:
    """The limit of another line of the batch does not count."""
    letters = np.random.default_rng(2).choice(list("କଖଗଘଙଚଛଜଝଞଟଠ"), 120)
    long = "".join(letters)
    speaker = FakeSpeaker(
        reader.speaker.writer, {56: [long + "<|im_end|>"], 1400: [long + "<|im_end|>"]}
    )
    assert show(use(reader, speaker).read(draw_lines((56, 1400)))) == ["loop", [long]]


def test_without_memory_the_batch_is_halved(reader: VlmRecognizer) -> None:
    widths = (56, 84, 112, 140, 168)
    said = {width: [f"{width}<|im_end|>"] for width in widths}
    speaker = FakeSpeaker(reader.speaker.writer, said, most_rows=2)
    results = use(reader, speaker).read(draw_lines(widths))
    assert show(results) == [[str(width)] for width in widths]
    assert [rows for rows, _ in speaker.asked] == [5, 2, 3, 1, 2]


def test_a_line_that_needs_more_memory_than_there_is_is_a_problem(reader: VlmRecognizer) -> None:
    speaker = FakeSpeaker(reader.speaker.writer, {56: ["a<|im_end|>"], 84: ["b"]}, most_rows=0)
    results = use(reader, speaker).read(draw_lines((56, 84)))
    assert show(results) == ["memory", "memory"]


def test_a_line_that_cannot_be_encoded_leaves_the_others_alone(
    reader: VlmRecognizer, lines: list[LineImage]
) -> None:
    strip = LineImage("strip", np.tile(np.array([0, 255], np.uint8), (1, 400)))
    results = reader.read([lines[0], strip, lines[2]])
    assert show(results)[0] == show(reader.read([lines[0]]))[0]
    assert isinstance(results[1], Problem)
    assert (results[1].code, results[1].line_id) == ("sample", "strip")
    assert "200 times" in results[1].message
    assert isinstance(results[2], Candidates | Problem)
    assert results[2].line_id == lines[2].id


def test_engines_are_named_by_folder_and_adapters(
    base: Path, adapters: tuple[str, ...], lines: list[LineImage]
) -> None:
    one = open_recognizer(f"vlm:{base}::{adapters[0]}", threads=1)
    assert one.name == "vlm-base+checkpoint-1"
    several = load("::".join((str(base), *adapters)), threads=1)
    assert several.name == "vlm-base+checkpoint-1+checkpoint-2+checkpoint-3"
    assert len(several.with_decoding(VlmDecoding(samples=2)).read(lines[:2])) == 2
    assert len(several.read(lines[:2])) == 2  # also where a loop is tried again


def test_prompt_and_sizes_can_be_said_for_models_tuned_elsewhere(
    base: Path, adapters: tuple[str, ...], lines: list[LineImage]
) -> None:
    own = load(f"{base}::{adapters[0]}").vlm.encoder.settings
    told = load(f"{base}::{adapters[0]}?prompt=Odia%20%26+text%3F&height=112&max_pixels=80000")
    settings = told.vlm.encoder.settings
    assert (settings.prompt, settings.line_height) == ("Odia & text?", 112)
    assert settings == replace(
        own, prompt=settings.prompt, line_height=112, max_pixels=80000
    )  # all else stays
    wide = LineImage("wide", np.random.default_rng(1).integers(0, 255, (56, 400), np.uint8))
    grids = [
        load(f"{base}?height={height}").vlm.encoder.grid_of((400, 56), "wide")
        for height in (56, 112)
    ]
    assert grids[1][1] == 2 * grids[0][1]
    assert len(told.read([*lines[:2], wide])) == 3
    assert open_page_reader(f"vlm:{base}") is None
    assert open_page_reader(f"vlm:{base}?height=0") is not None


@pytest.mark.parametrize(
    ("said", "error"),
    [("height=50", "multiple of 28"), ("height=x", "whole number"), ("tall=56", "prompt")],
)
def test_sizes_that_no_model_takes_are_refused(base: Path, said: str, error: str) -> None:
    with pytest.raises(UsageError) as refused:
        load(f"{base}?{said}")
    assert error in str(refused.value)


@pytest.mark.parametrize("name", ["::a", "base::", "base::a::"])
def test_empty_names_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="has no name"):
        load(name)
