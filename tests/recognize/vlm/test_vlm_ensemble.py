"""Adapters in one batch read as they do alone; joint ones as a plain loop over the mean does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from odia_ocr.errors import ConfigError
from odia_ocr.recognize.vlm.decoding import VlmDecoding
from odia_ocr.recognize.vlm.ensemble import JointSpeaker, mean_logs, write_mixed
from odia_ocr.recognize.vlm.inputs import EncodedSample
from odia_ocr.recognize.vlm.opening import OpenVlm, open_vlm
from odia_ocr.recognize.vlm.reader import SingleSpeaker
from odia_ocr.recognize.vlm.writing import Seen, Writer
from odia_ocr.types import LineImage

GREEDY = VlmDecoding()


@pytest.fixture(scope="module")
def writer(vlm_of_three: OpenVlm) -> Writer:
    return Writer(vlm_of_three)


@pytest.fixture(scope="module")
def samples(vlm_of_three: OpenVlm, lines: list[LineImage]) -> list[EncodedSample]:
    encode = vlm_of_three.encoder.encode
    return [encode(line.id, Image.fromarray(line.pixels), None) for line in lines[:3]]


@pytest.fixture(scope="module")
def seen(writer: Writer, samples: list[EncodedSample]) -> Seen:
    return writer.see(samples)


def trim(tokens: list[int], end: int) -> list[int]:
    return tokens[: tokens.index(end) + 1] if end in tokens else tokens


@pytest.mark.parametrize(
    "decoding", [GREEDY, VlmDecoding(beams=3, nbest=2), VlmDecoding(samples=2, temperature=2.0)]
)
def test_a_mixed_batch_is_one_adapter_after_the_other(
    writer: Writer, seen: Seen, decoding: VlmDecoding
) -> None:
    vlm, end = writer.vlm, writer.vlm.encoder.tokenizer.eos_token_id
    mixed = write_mixed(writer, vlm.adapters, seen, decoding, most=10)
    readings = []
    for name, (tokens, logs) in zip(vlm.adapters, mixed, strict=True):
        alone, alone_logs = SingleSpeaker(writer, name).write(seen, decoding, 10)
        assert len(tokens) == len(alone)
        for row in range(len(alone)):
            kept = trim(alone[row].tolist(), end)
            assert trim(tokens[row].tolist(), end) == kept
            assert torch.allclose(logs[row, : len(kept)], alone_logs[row, : len(kept)], atol=1e-3)
        readings.append(tokens.tolist())
    assert readings[0] != readings[1]  # the adapters do differ


def test_joint_greedy_is_a_plain_loop_over_the_mean(
    writer: Writer, seen: Seen, samples: list[EncodedSample]
) -> None:
    vlm, end = writer.vlm, writer.vlm.encoder.tokenizer.eos_token_id
    plain = VlmDecoding(limited=False)
    written, logs = JointSpeaker(writer, vlm.adapters).write(seen, plain, 10)
    for row, sample in enumerate(samples):
        text: list[int] = []
        while len(text) < 10 and end not in text:
            mean = mean_of_adapters(vlm, sample, text)
            text.append(int(mean.argmax()))
            assert torch.allclose(logs[row, len(text) - 1].exp(), mean, atol=1e-4)
        assert trim(written[row].tolist(), end) == text


@torch.no_grad()
def mean_of_adapters(vlm: OpenVlm, sample: EncodedSample, text: list[int]) -> torch.Tensor:
    """Mean probability of the next token, by a plain pass with each adapter."""
    ids = torch.tensor([[*sample.tokens, *text]])
    found = []
    for name in vlm.adapters:
        vlm.model.set_adapter(name)
        logits = vlm.model(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            mm_token_type_ids=(ids == vlm.encoder.image_id).long(),
            pixel_values=sample.patches,
            image_grid_thw=torch.tensor([sample.grid]),
        ).logits
        found.append(logits[0, -1].softmax(-1))
    return torch.stack(found).mean(0)


@pytest.mark.parametrize(
    "decoding", [VlmDecoding(beams=4, nbest=3), VlmDecoding(samples=3, temperature=2.0, seed=4)]
)
def test_joint_readings_are_scored_by_the_mean(
    writer: Writer, seen: Seen, decoding: VlmDecoding
) -> None:
    vlm = writer.vlm
    written, logs = JointSpeaker(writer, vlm.adapters).write(seen, decoding, 8)
    assert len(written) == len(logs) == 9
    assert torch.allclose(logs.exp().sum(-1), torch.ones(logs.shape[:2]), atol=1e-4)
    parts = []
    for name in vlm.adapters:
        vlm.model.set_adapter(name)
        parts.append(writer.score(seen.repeat(3), written).exp())
    assert torch.allclose(logs.exp(), torch.stack(parts).mean(0), atol=1e-4)


def test_joint_beams_of_one_adapter_are_its_own(writer: Writer, seen: Seen) -> None:
    name, decoding = writer.vlm.adapters[1], VlmDecoding(beams=3, nbest=3)
    joint, _ = JointSpeaker(writer, (name, name)).write(seen, decoding, 8)
    alone, _ = SingleSpeaker(writer, name).write(seen, decoding, 8)
    assert torch.equal(joint, alone)


def test_the_mean_is_of_probabilities() -> None:
    parts = torch.tensor([[0.2, 0.8], [0.5, 0.5], [0.6, 0.4], [0.1, 0.9]])
    mean = mean_logs(parts.log(), 2).exp()
    assert torch.allclose(mean, torch.tensor([[0.4, 0.6], [0.3, 0.7]]))


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"target_modules": r".*visual.*\.(qkv|proj)"}, "changes the vision tower"),
        ({"use_dora": True}, "DoRA adapters cannot stand"),
        ({"modules_to_save": ["input_layernorm"]}, "that hold whole layers"),
    ],
)
def test_adapters_that_cannot_share_a_batch_are_refused(
    base: Path, save_adapter: Callable[..., Path], config: dict[str, Any], says: str
) -> None:
    other = save_adapter(9, **config)
    vlm = open_vlm(str(base), (str(other),))
    with pytest.raises(ConfigError, match=says):
        JointSpeaker(Writer(vlm), vlm.adapters)
    with pytest.raises(ConfigError, match=other.name):
        write_mixed(Writer(vlm), vlm.adapters, None, GREEDY, most=4)  # type: ignore[arg-type]
