"""Votes, minimum risk, pooling and reranking on small hand-made candidates."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odia_ocr.fuse.mbr import MinimumRisk
from odia_ocr.fuse.pool import find_posteriors, pool_candidates
from odia_ocr.fuse.rerank import Reranker, RerankWeights, fit_reranker
from odia_ocr.fuse.vote import Vote, add_member, split_pieces
from odia_ocr.language import distance, split_clusters
from odia_ocr.language.ngram import NgramModel, open_ngram_model
from odia_ocr.runtime import find_weights
from odia_ocr.types import Candidates, Hypothesis, Symbol

TEXTS = st.text("କଖଗ୍ିା 7", max_size=8)


def make_hyp(text: str, sureness: float | list[float] = 0.9, **more: float) -> Hypothesis:
    each = [sureness] * len(text) if isinstance(sureness, float) else sureness
    symbols = tuple(
        Symbol(char, math.log(p), (4.0 * i, 4.0 * i + 4))
        for i, (char, p) in enumerate(zip(text, each, strict=True))
    )
    logp = more.pop("optical_logp", sum(symbol.logp for symbol in symbols))
    return Hypothesis(symbols, logp, **more)


def make_cands(*hyps: Hypothesis | str) -> Candidates:
    return Candidates("l", tuple(make_hyp(h) if isinstance(h, str) else h for h in hyps))


@pytest.fixture(scope="module")
def lm() -> NgramModel:
    return open_ngram_model(find_weights("lm-odia", ".ngram"))


def test_two_of_three_win_wherever_the_odd_one_stands() -> None:
    for order in (("ଭାରତ", "ଭାରତ", "ଭାଗତ"), ("ଭାଗତ", "ଭାରତ", "ଭାରତ"), ("ଭାରତ", "ଭାଗତ", "ଭାରତ")):
        result = Vote("majority")([make_cands(text) for text in order])
        assert result.best.text == "ଭାରତ"
        assert [hyp.text for hyp in result.hypotheses] == ["ଭାରତ", "ଭାଗତ"]
        assert result.best.posterior == pytest.approx(2 / 3, abs=0.01)


def test_members_mend_different_places() -> None:
    members = ["କାଖଗ ଘର", "କଖଗା ଘର", "କଖଗ ଘୋର"]
    assert Vote("majority")([make_cands(m) for m in members]).best.text == "କଖଗ ଘର"


def test_what_one_leaves_out_and_what_one_makes_up() -> None:
    out = Vote("majority")([make_cands("କଖ"), make_cands("କଖଗ"), make_cands("କଖଗ")])
    assert out.best.text == "କଖଗ"
    up = Vote("majority")([make_cands("କଖଗ"), make_cands("କଖ"), make_cands("କଖ")])
    assert up.best.text == "କଖ"


def test_a_sure_member_outvotes_two_doubtful_ones() -> None:
    doubtful = make_hyp("କଖ", [0.9, 0.3])
    sure = make_hyp("କଗ", [0.9, 0.99])
    members = [make_cands(doubtful), make_cands(doubtful), make_cands(sure)]
    assert Vote("confidence")(members).best.text == "କଗ"
    assert Vote("majority")(members).best.text == "କଖ"
    assert Vote("majority", weights=(1.0, 1.0, 3.0))(members).best.text == "କଗ"


def test_the_winner_keeps_symbols_and_spans_of_the_member_that_read_it() -> None:
    weak, strong = make_hyp("କିଖ", 0.6), make_hyp("କିଖ", 0.95)
    voted = Vote()([make_cands(weak), make_cands(strong)]).best
    assert voted.symbols == strong.symbols


def test_losing_clusters_are_the_rivals_of_the_cluster_that_won() -> None:
    members = [make_cands(text) for text in ("କ୍ଷଖ", "କ୍ଷଖ", "କ୍ଳଖ")]
    first, last = Vote("majority")(members).best.symbols
    assert (first.text, last.text) == ("କ୍ଷ", "ଖ")
    ((rival, logp),) = first.alternatives
    assert rival == "କ୍ଳ"
    assert math.exp(logp) == pytest.approx(1 / 3, abs=0.01)
    assert first.span == (0.0, 12.0)
    assert first.logp == pytest.approx(3 * math.log(0.9))
    assert last.alternatives == ()


def test_a_member_that_failed_leaves_the_others_their_weights() -> None:
    ka, kha = make_cands("କ"), make_cands("ଖ")
    heavy_first = Vote("majority", weights=(5.0, 1.0, 1.0))
    assert heavy_first([ka, kha, kha]).best.text == "କ"
    assert heavy_first([None, kha, kha]).best.text == "ଖ"
    assert heavy_first([ka, None, kha]).best.text == "କ"
    assert pool_candidates([None, ka, kha], [9.0, 1.0, 2.0]).best.text == "ଖ"


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_a_vote_reads_only_clusters_that_members_read(texts: list[str]) -> None:
    pieces = {piece.text for text in texts for piece in split_pieces(make_hyp(text))}
    best = Vote()([make_cands(text) for text in texts]).best
    rest = best.text
    while rest:
        longest = max((p for p in pieces if rest.startswith(p)), key=len)
        rest = rest[len(longest) :]
    assert 0.0 <= (best.posterior or 0.0) <= 1.0


@given(TEXTS)
def test_a_vote_of_one_or_of_equals_is_itself(text: str) -> None:
    cands = make_cands(text)
    for members in ([cands], [cands] * 3):
        assert Vote()(members).best.text == cands.best.text
    assert "".join(piece.text for piece in split_pieces(cands.best)) == text


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_every_member_has_one_ballot_in_every_slot(texts: list[str]) -> None:
    slots: list[list[object]] = []
    for i, text in enumerate(texts):
        slots = add_member(slots, i, split_pieces(make_hyp(text)))  # type: ignore[assignment]
    for slot in slots:
        assert [ballot.member for ballot in slot] == list(range(len(texts)))  # type: ignore[attr-defined]
    for i, text in enumerate(texts):
        assert "".join(slot[i].piece.text for slot in slots) == text  # type: ignore[attr-defined]


def test_votes_refuse_what_makes_no_sense() -> None:
    other = Candidates("m", (make_hyp("କ"),))
    with pytest.raises(ValueError, match="at least one"):
        Vote()([])
    with pytest.raises(ValueError, match="other lines"):
        Vote()([make_cands("କ"), other])
    with pytest.raises(ValueError, match="weights"):
        Vote(weights=(1.0,))([make_cands("କ"), make_cands("କ")])
    for weights in ((0.0, 0.0), (1.0, -1.0)):
        with pytest.raises(ValueError, match="not all 0"):
            Vote(weights=weights)
    for members, message in (
        ([], "at least one"),
        ([None], "at least one"),
        ([make_cands("କ"), other], "other lines"),
    ):
        with pytest.raises(ValueError, match=message):
            pool_candidates(members)
    with pytest.raises(ValueError, match="1 weights for 2"):
        pool_candidates([make_cands("କ")] * 2, [1.0])


def test_minimum_risk_takes_the_middle_of_the_list() -> None:
    # The likeliest reading is far from the rest, which agree but for one cluster.
    cands = make_cands(
        make_hyp("ଗଗଗଗ", posterior=0.34),
        make_hyp("କଖକଖ", posterior=0.33),
        make_hyp("କଖକକ", posterior=0.33),
    )
    result = MinimumRisk()(cands)
    assert result.best.text in ("କଖକଖ", "କଖକକ")
    assert {hyp.text for hyp in result.hypotheses} == {hyp.text for hyp in cands.hypotheses}


def test_minimum_risk_counts_in_clusters_or_in_characters() -> None:
    # In clusters all three differ by one; in characters the first is far from the other two.
    cands = make_cands(
        make_hyp("କ୍ଷ୍ମୀ", posterior=0.4), make_hyp("ଖି", posterior=0.3), make_hyp("ଖୀ", posterior=0.3)
    )
    assert MinimumRisk()(cands).best.text == "କ୍ଷ୍ମୀ"
    assert MinimumRisk(unit="character")(cands).best.text == "ଖୀ"
    with pytest.raises(ValueError, match="temperature"):
        MinimumRisk(temperature=0.0)


@given(st.lists(TEXTS, min_size=2, max_size=5, unique=True), st.data())
def test_the_first_reading_has_the_least_risk(texts: list[str], data: st.DataObject) -> None:
    shares = [data.draw(st.floats(0.05, 1.0)) for _ in texts]
    cands = make_cands(
        *(make_hyp(t, posterior=p / sum(shares)) for t, p in zip(texts, shares, strict=True))
    )
    clusters = {text: split_clusters(text) for text in texts}
    risks = {
        mine: sum(
            p * distance(clusters[t], clusters[mine]) for t, p in zip(texts, shares, strict=True)
        )
        for mine in texts
    }
    best = MinimumRisk()(cands).best.text
    assert risks[best] == pytest.approx(min(risks.values()))


@given(TEXTS)
def test_minimum_risk_of_one_is_itself(text: str) -> None:
    cands = make_cands(text)
    assert MinimumRisk()(cands) == cands


def test_a_pool_adds_up_what_sources_agree_on() -> None:
    first = make_cands(make_hyp("କ", posterior=0.6), make_hyp("ଖ", posterior=0.4))
    second = make_cands(make_hyp("ଖ", posterior=0.9), make_hyp("ଗ", posterior=0.1))
    pooled = pool_candidates([first, second])
    shares = {hyp.text: hyp.posterior for hyp in pooled.hypotheses}
    assert shares == pytest.approx({"ଖ": 0.65, "କ": 0.3, "ଗ": 0.05})
    assert pooled.best.text == "ଖ"
    assert pool_candidates([first, second], [3.0, 1.0]).best.text == "ଖ"
    assert pool_candidates([first, second], [9.0, 1.0]).best.text == "କ"


def test_posteriors_come_from_scores_where_there_are_none() -> None:
    cands = make_cands(make_hyp("କ", optical_logp=-1.0), make_hyp("ଖ", optical_logp=-2.0))
    even = find_posteriors(cands, temperature=1e6)
    assert find_posteriors(cands)[0] == pytest.approx(1 / (1 + math.exp(-1)))
    assert even == pytest.approx([0.5, 0.5], abs=1e-5)


def test_the_language_model_reorders_and_its_weights_are_fitted(lm: NgramModel) -> None:
    right, wrong = "ଓଡ଼ିଆ ଭାଷା", "ଓଡ଼ିଆ ଭାଷୀ୍"
    cands = make_cands(make_hyp(wrong, optical_logp=-1.0), make_hyp(right, optical_logp=-1.5))
    fit = fit_reranker([cands] * 3, [right] * 3, lm)
    assert fit.before > fit.after == 0.0
    ranked = Reranker(lm, fit.weights)(cands)
    assert ranked.best.text == right
    assert ranked.best.lm_logp == pytest.approx(lm.judge(right).logp)
    assert RerankWeights(**json.loads(json.dumps(asdict(fit.weights)))) == fit.weights
    assert Reranker(lm, RerankWeights())(cands).best.text == wrong
    with pytest.raises(ValueError, match="truths"):
        fit_reranker([cands], [], lm)
