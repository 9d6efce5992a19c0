"""What is written and how it is scored: against the bare model, without any of our shortcuts."""

from __future__ import annotations

import pytest
import torch
from PIL import Image
from torch import Tensor

from odia_ocr.errors import ConfigError
from odia_ocr.recognize.vlm.decoding import VlmDecoding
from odia_ocr.recognize.vlm.drawing import Draws
from odia_ocr.recognize.vlm.inputs import EncodedSample
from odia_ocr.recognize.vlm.opening import OpenVlm
from odia_ocr.recognize.vlm.writing import Writer
from odia_ocr.types import LineImage

GREEDY = VlmDecoding()


@pytest.fixture(scope="module")
def samples(vlm: OpenVlm, lines: list[LineImage]) -> list[EncodedSample]:
    return [vlm.encoder.encode(x.id, Image.fromarray(x.pixels), None) for x in lines[:4]]


def score_directly(vlm: OpenVlm, sample: EncodedSample, written: list[int]) -> Tensor:
    """Log-probabilities (T, vocabulary) by one plain pass over picture, prompt and text."""
    ids = torch.tensor([[*sample.tokens, *written]])
    with torch.no_grad():
        logits = vlm.model(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            mm_token_type_ids=(ids == vlm.encoder.image_id).long(),
            pixel_values=sample.patches,
            image_grid_thw=torch.tensor([sample.grid]),
        ).logits[0]
    return logits[len(sample.tokens) - 1 : -1].log_softmax(-1)


def test_scores_are_the_bare_model_s(writer: Writer, samples: list[EncodedSample]) -> None:
    decoding = VlmDecoding(beams=3, nbest=3)
    seen = writer.see(samples)
    written = writer.write(seen, decoding, most=12)
    scores = writer.score(seen.repeat(3), written)
    texts = writer.collect(written, scores)
    for row, text in enumerate(texts):
        tokens = written[row].tolist()[: len(text.tokens)]
        direct = score_directly(writer.vlm, samples[row // 3], tokens)
        assert torch.allclose(scores[row, : len(tokens)], direct, atol=1e-3)
        chosen = direct[range(len(tokens)), tokens].tolist()
        assert [token.logp for token in text.tokens] == pytest.approx(chosen, abs=1e-3)
        assert text.logp == pytest.approx(sum(chosen), abs=1e-2)


def test_greedy_takes_the_likeliest_allowed_token(
    writer: Writer, samples: list[EncodedSample]
) -> None:
    seen = writer.see(samples[:1])
    free = VlmDecoding(limited=False)
    (row,) = writer.write(seen, free, most=10).tolist()
    end = writer.vlm.encoder.tokenizer.eos_token_id
    length = row.index(end) + 1 if end in row else len(row)
    direct = score_directly(writer.vlm, samples[0], row[:length])
    assert direct.argmax(-1).tolist() == row[:length]


def test_rivals_are_the_best_others(writer: Writer, samples: list[EncodedSample]) -> None:
    seen = writer.see(samples[:1])
    written = writer.write(seen, GREEDY, most=6)
    (text,) = writer.collect(written, writer.score(seen, written))
    for token in text.tokens:
        rivals = token.rivals
        assert len(rivals) <= 4
        assert token.piece not in [piece for piece, _ in rivals]
        assert [logp for _, logp in rivals] == sorted((x for _, x in rivals), reverse=True)


def test_one_beam_is_greedy(writer: Writer, samples: list[EncodedSample]) -> None:
    seen = writer.see(samples)
    greedy = writer.write(seen, GREEDY, most=12)
    assert torch.equal(greedy, writer.write(seen, VlmDecoding(beams=1), most=12))


def test_beams_are_ranked_by_the_probability_of_the_whole_text(
    writer: Writer, samples: list[EncodedSample]
) -> None:
    """Not by its mean over the tokens, which prefers long texts."""
    seen = writer.see(samples)
    written = writer.write(seen, VlmDecoding(beams=5, nbest=5), most=16)
    texts = writer.collect(written, writer.score(seen.repeat(5), written))
    lengths = set()
    for at in range(0, len(texts), 5):
        logps = [text.logp for text in texts[at : at + 5]]
        assert logps == pytest.approx(sorted(logps, reverse=True), abs=1e-3)
        lengths |= {len(text.tokens) for text in texts[at : at + 5]}
    assert len(lengths) > 1


def test_draws_are_reproducible_and_leave_torch_alone(
    writer: Writer, samples: list[EncodedSample]
) -> None:
    seen = writer.see(samples)

    def draw(seed: int) -> list[list[int]]:
        made = writer.write(seen, VlmDecoding(samples=3, temperature=2.0, seed=seed), most=8)
        return made.tolist()

    torch.manual_seed(11)
    before = torch.get_rng_state()
    first = draw(4)
    assert torch.equal(torch.get_rng_state(), before)
    assert draw(4) == first
    assert draw(5) != first
    assert len({tuple(row) for row in first[:3]}) > 1


def test_draws_of_a_line_are_the_same_in_any_company(
    writer: Writer, samples: list[EncodedSample]
) -> None:
    decoding = VlmDecoding(samples=2, temperature=1.5, seed=7)
    together = writer.write(writer.see(samples), decoding, most=8).tolist()
    pad = writer.vlm.encoder.pad_id
    alone = [
        row for s in samples for row in writer.write(writer.see([s]), decoding, most=8).tolist()
    ]
    for a, b in zip(together, alone, strict=True):
        width = max(len(a), len(b))
        a, b = ([*x, *[pad] * (width - len(x))] for x in (a, b))
        assert a == b


def test_draws_follow_the_probabilities() -> None:
    """100 draws of 200 lines: shares within five standard errors; top-k and top-p cut the tail."""
    shares = torch.tensor([0.55, 0.25, 0.15, 0.05])
    scores = shares.log().expand(100, 4)

    def count(**options: float) -> Tensor:
        draws = Draws(VlmDecoding(samples=100, seed=3, **options))  # type: ignore[arg-type]
        taken = torch.cat([draws(torch.zeros(100, 1), scores).argmax(-1) for _ in range(100)])
        return taken.bincount(minlength=4) / len(taken)

    error = 5 * (shares * (1 - shares) / 10_000).sqrt()
    assert ((count() - shares).abs() < error).all()
    assert (count(top_k=2) > 0).tolist() == [True, True, False, False]
    assert (count(top_p=0.9) > 0).tolist() == [True, True, True, False]
    sharp = shares.pow(2) / shares.pow(2).sum()
    assert ((count(temperature=0.5) - sharp).abs() < error).all()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"beams": 0}, "beams and nbest"),
        ({"nbest": 3}, "3 readings of 1 beams"),
        ({"samples": -1}, "beams and nbest"),
        ({"temperature": 0.0}, "temperature"),
        ({"top_p": 1.5}, "top_p"),
    ],
)
def test_bad_settings_are_refused(options: dict[str, float], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        VlmDecoding(**options)  # type: ignore[arg-type]


def test_ways_have_names() -> None:
    ways = (GREEDY, VlmDecoding(beams=5), VlmDecoding(samples=16))
    assert [way.name for way in ways] == ["greedy", "beam5", "sample16"]
