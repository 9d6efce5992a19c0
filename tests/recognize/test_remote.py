"""The engine `remote:URL` against a server on loopback that answers well, badly, late or never."""

from __future__ import annotations

import math
import re
import socket
import sys
import threading
import time
from collections import Counter
from email.utils import formatdate
from itertools import count

import numpy as np
import pytest

from chat_server import ChatApi, Reply, read_by_digest, say, score, see_picture, serve_chat
from odia_ocr.correct.calibrate import load_for
from odia_ocr.errors import EngineMissingError, ResourceMissingError, UsageError
from odia_ocr.language import normalise
from odia_ocr.line_reading import rate_sureness
from odia_ocr.recognize import open_recognizer, remote_chat
from odia_ocr.recognize.remote import RemoteOptions, load, parse_address
from odia_ocr.recognize.remote_answer import find_loop, find_tokens
from odia_ocr.recognize.remote_chat import Patience, read_retry_after
from odia_ocr.recognize.vlm.settings import VlmSettings
from odia_ocr.recognize.vlm.symbols import ScoredToken, make_symbols
from odia_ocr.types import Candidates, Hypothesis, LineImage, Problem


def make_line(name: str = "l", *, width: int = 560, ink: int = 0) -> LineImage:
    """A line of the height that is sent, as wide as whole tokens: it goes out as it is."""
    pixels = np.full((84, width), 255, np.uint8)
    pixels[10:30, 5:25] = ink
    return LineImage(name, pixels)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses between attempts: noted, not slept."""
    taken: list[float] = []
    monkeypatch.setattr(remote_chat.time, "sleep", taken.append)
    return taken


def read_one(api: ChatApi, address: str = "") -> Candidates | Problem:
    (outcome,) = load(api.url + address).read([make_line()])
    return outcome


def best(outcome: Candidates | Problem) -> Hypothesis:
    assert isinstance(outcome, Candidates), outcome
    return outcome.best


@pytest.mark.parametrize(
    ("text", "url", "model"),
    [
        ("http://host:8000", "http://host:8000", None),
        ("http://host:8000/", "http://host:8000", None),
        ("http://host:8000/v1", "http://host:8000", None),
        ("https://host/llm/v1/#Qwen/Qwen2.5-VL-3B", "https://host/llm", "Qwen/Qwen2.5-VL-3B"),
        ("http://[::1]:80/v1#odia", "http://[::1]:80", "odia"),
    ],
)
def test_addresses_are_taken_apart(text: str, url: str, model: str | None) -> None:
    address = parse_address(text)
    assert (address.url, address.model, address.options) == (url, model, RemoteOptions())


def test_options_stand_behind_the_question_mark() -> None:
    options = parse_address("http://h?readings=4&timeout=2.5&prompt=Read%20it&tokens=64#m").options
    assert options == RemoteOptions(prompt="Read it", readings=4, tokens=64, timeout=2.5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no address.*remote:http"),
        ("localhost:8000", "'localhost:8000' is no address"),
        ("ftp://host", "is no address"),
        ("http://", "is no address"),
        ("http://host:99999", "is no address"),
        ("http://me:secret@h", "must not hold a name or password.*ODIA_OCR_REMOTE_KEY"),
        ("http://h?reading=2", "Did you mean readings"),
        ("http://h?readings=0", "must lie in 1..64, got 0"),
        ("http://h?height=50", "multiple of 28, got 50"),
        ("http://h?height=-28", "must lie in 0..2048, got -28"),
        ("http://h?tokens=many", "must be a number, got 'many'"),
        ("http://h?timeout=0", "above 0 seconds"),
    ],
)
def test_bad_addresses_say_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_address(text)


def test_it_asks_with_picture_prompt_model_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ODIA_OCR_REMOTE_KEY", "sesame")
    with serve_chat(models=("base", "odia"), key="sesame") as api:
        engine = open_recognizer(f"remote:{api.url}/v1#odia")
        (cands,) = engine.read([make_line("a")])
    (body,) = api.requests
    assert engine.name == best(cands).source == "remote:odia"
    assert (body["model"], body["temperature"], body["stream"]) == ("odia", 0, False)
    assert body["repetition_penalty"] == 1.0
    assert body["messages"][0]["content"][1] == {"type": "text", "text": VlmSettings().prompt}
    assert np.array_equal(see_picture(body)[:, :, 0], make_line().pixels)


def test_pictures_go_out_at_the_height_that_models_are_tuned_with() -> None:
    line = LineImage("l", np.tile(np.arange(0, 250, 5, np.uint8), (42, 1)))
    with serve_chat() as api:
        load(api.url).read([line])
        load(api.url + "?height=0").read([line])
    assert [see_picture(body).shape for body in api.requests] == [(84, 112, 3), (42, 50, 3)]


def test_without_a_model_the_first_one_is_asked() -> None:
    with serve_chat(models=("one", "two")) as api:
        assert load(api.url).model == "one"
    with serve_chat(models=None) as api:
        assert load(api.url + "#odia").model == "odia"  # this server lists none
        with pytest.raises(UsageError, match="does not say which models"):
            load(api.url)


def test_an_unknown_model_lists_the_known_ones() -> None:
    missing = Reply({"error": {"message": "The model `odja` does not exist."}}, 404)
    with serve_chat(lambda body: missing, models=("base", "odia")) as api:
        engine = load(api.url + "#odja")
        with pytest.raises(EngineMissingError, match=r"no model 'odja'.*it lists: base, odia\."):
            engine.read([make_line()])


def test_an_unreachable_server_fails_when_it_is_opened() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(EngineMissingError, match=f"No server answers at {address}.*is up"):
            load(address)


def test_a_refused_key_says_where_to_put_it() -> None:
    with (
        serve_chat(key="sesame") as api,
        pytest.raises(EngineMissingError, match=r"refused access \(401\).*ODIA_OCR_REMOTE_KEY"),
    ):
        load(api.url)


def test_without_httpx_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(ResourceMissingError, match=r"pip install 'odia-ocr\[remote\]'"):
        load("http://127.0.0.1:1")


def test_busy_servers_are_asked_again_after_the_time_they_name(pauses: list[float]) -> None:
    replies = iter(
        [
            Reply({"error": "slow down"}, 429, headers={"Retry-After": "7"}),
            Reply({}, 503, headers={"Retry-After": "900"}),
            Reply({}, 500),
            say("କଟକ"),
        ]
    )
    with serve_chat(lambda body: next(replies)) as api:
        assert best(read_one(api)).text == "କଟକ"
    assert pauses[:2] == [7.0, 60.0]
    assert 2.0 <= pauses[2] <= 4.0


def test_a_broken_connection_is_tried_again() -> None:
    replies = iter([Reply(broken=True), say("କଟକ")])
    with serve_chat(lambda body: next(replies)) as api:
        assert best(read_one(api)).text == "କଟକ"


def test_pauses_grow_are_uneven_and_have_a_limit() -> None:
    patience = Patience(first=1.0, most=5.0)
    drawn = [patience.pause(1) for _ in range(50)]
    assert len(set(drawn)) > 10
    assert all(1.0 <= pause <= 2.0 for pause in drawn)
    assert max(patience.pause(9) for _ in range(50)) <= 5.0
    assert patience.pause(0, asked=0.25) == 0.25


def test_retry_after_is_seconds_or_a_date() -> None:
    assert read_retry_after("12") == 12.0
    assert read_retry_after("-1") == 0.0
    assert read_retry_after(formatdate(time.time() + 100, usegmt=True)) == pytest.approx(100, abs=3)
    assert read_retry_after("soon") is None
    assert read_retry_after("") is None


def answer_by_width(**replies: Reply):
    """A server that answers pictures of certain widths in a certain way."""

    def answer(body):
        return replies.get(f"w{see_picture(body).shape[1]}") or read_by_digest(body)

    return answer


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply({"error": {"message": "out of memory"}}, 500), r"failed \(500\): out of memory"),
        (Reply({"error": {"message": "picture too odd"}}, 400), r"refused .*\(400\).* too odd"),
        (Reply(raw=b"<html>hello</html>"), "no JSON: <html>hello"),
        (Reply(["what"]), "no chat completion"),
        (Reply({"choices": []}), "no chat completion"),
        (Reply({"choices": [{"message": {"content": 5}}]}), "no chat completion"),
        (say("ଆମେ ଯାଉଛୁ " * 30), "repeats 'ଆମେ ଯାଉଛୁ' without end"),
        (say("କଟକ", finish="length"), "longer than the line can be"),
        (say(" ".join(map(str, range(1000, 1100)))), r"longer .*\(499 characters\): '1000 1001"),
        (say("କଟ\ufffd"), "broken characters"),
    ],
)
def test_a_bad_answer_is_the_problem_of_its_line_alone(reply: Reply, said: str) -> None:
    lines = [make_line("a"), make_line("bad", width=336), make_line("c", ink=90)]
    with serve_chat(answer_by_width(w336=reply)) as api:
        one, problem, three = load(api.url).read(lines)
    assert isinstance(problem, Problem)
    assert problem.line_id == "bad"
    assert problem.code == ("loop" if "repeats" in said else "recognition")
    assert problem.next_step
    assert re.search(said, problem.message), problem.message
    assert best(one).text
    assert best(three).text


def test_a_server_that_never_answers_costs_its_time_and_no_more() -> None:
    with serve_chat() as api:
        api.answer = lambda body: Reply(broken=api.closing.wait(30))
        engine = load(api.url + "?timeout=0.05")
        (problem,) = engine.read([make_line()])
        assert isinstance(problem, Problem)
        assert problem.message.endswith("took longer than 0.05 s.")
        assert len(api.requests) == Patience().attempts
        api.closing.set()


def test_a_refused_key_stops_what_is_still_to_be_asked() -> None:
    with serve_chat() as api:
        engine = load(api.url + "?concurrent=1")
        api.answer = lambda body: Reply({}, 401)
        with pytest.raises(EngineMissingError, match="refused access"):
            engine.read([make_line(f"l{i}") for i in range(50)])
        assert len(api.requests) == 1
        api.answer = read_by_digest
        assert best(engine.read([make_line()])[0]).text


def test_a_server_that_goes_away_ends_the_reading() -> None:
    with serve_chat() as api:
        engine = load(api.url)
        assert best(engine.read([make_line()])[0]).text
    blank = LineImage("blank", np.full((40, 90), 255, np.uint8))
    with pytest.raises(EngineMissingError, match="No server answers"):
        engine.read([make_line("a"), make_line("b"), blank])
    assert best(engine.read([blank])[0]).text == ""  # nothing needs to be asked


def test_answers_in_another_order_reach_their_lines() -> None:
    lines = [make_line(f"l{i}", width=28 * (8 + i)) for i in range(6)]
    arrived = threading.Barrier(len(lines))
    answered = [threading.Event() for _ in lines]
    answered[-1].set()

    def answer_last_first(body):
        at = see_picture(body).shape[1] // 28 - 8
        arrived.wait(20)
        assert answered[at].wait(20)
        if at:
            answered[at - 1].set()
        return say(f"ଲାଇନ {at}")

    with serve_chat(answer_last_first) as api:
        outcomes = load(api.url).read(lines)
    assert [best(out).text for out in outcomes] == [f"ଲାଇନ {i}" for i in range(6)]
    assert [out.line_id for out in outcomes] == [line.id for line in lines]


def test_no_more_requests_are_under_way_than_allowed() -> None:
    lines = [make_line(f"l{i}", width=28 * (8 + i)) for i in range(12)]
    with serve_chat() as api:
        load(api.url + "?concurrent=2").read(lines)
    assert len(api.requests) == 12
    assert api.most_at_once <= 2


def test_fields_that_the_server_refuses_are_left_out_from_then_on() -> None:
    def answer(body):
        if "repetition_penalty" in body:
            return Reply({"detail": "Unexpected fields: {'repetition_penalty'}"}, 422)
        return say("କଟକ")

    with serve_chat(answer) as api:
        engine = load(api.url)
        for _ in range(2):
            assert best(engine.read([make_line()])[0]).text == "କଟକ"
    assert ["repetition_penalty" in body for body in api.requests] == [True, False, False]
    assert all("logprobs" in body for body in api.requests)


def test_a_refusal_without_reason_drops_all_extras_but_only_if_that_helps() -> None:
    def answer(body):
        odd = see_picture(body).shape[1] == 336
        return Reply({"error": "no"}, 400) if odd or "logprobs" in body else say("କଟକ")

    with serve_chat(answer) as api:
        engine = load(api.url)
        assert isinstance(engine.read([make_line(width=336)])[0], Problem)
        assert best(engine.read([make_line()])[0]).text == "କଟକ"
        assert best(engine.read([make_line()])[0]).text == "କଟକ"
    asked = ["logprobs" in body for body in api.requests]
    assert asked == [True, False, True, False, False]  # the odd line taught nothing


def test_token_scores_are_spread_over_letters() -> None:
    ka, aa = "କ".encode(), "ା".encode()
    tokens = (
        ScoredToken(b" " + ka[:1], -0.2),
        ScoredToken(ka[1:] + aa[:1], -0.6),
        ScoredToken(aa[1:], -0.1),
        ScoredToken(b"<|im_end|>", -9.0),
    )
    symbols = make_symbols(find_tokens("କା", tokens))
    assert [symbol.text for symbol in symbols] == ["କ", "ା"]
    assert [symbol.logp for symbol in symbols] == pytest.approx([-0.5, -0.3])
    assert find_tokens("କା", ()) == find_tokens("ଖ", tokens) == ()


def test_scores_come_from_the_server_and_special_tokens_count() -> None:
    logprobs = score((" କ".encode(), -0.4), ("ଟକ".encode(), -0.6), (b"<|im_end|>", -1.0))
    with serve_chat(lambda body: say(" କଟକ", logprobs=logprobs)) as api:
        engine = load(api.url)
        hyp = best(engine.read([make_line()])[0])
    assert hyp.scored
    assert hyp.optical_logp == pytest.approx(-2.0)
    assert [symbol.logp for symbol in hyp.symbols] == pytest.approx([-0.3, -0.3, -0.3])
    reading = load_for(engine)(Candidates("l", (hyp,)))
    assert reading.confidence is None
    assert reading.cluster_confidence == pytest.approx([math.exp(-0.3)] * 3)


def test_without_scores_nothing_is_made_up() -> None:
    with serve_chat(lambda body: say("କଟକ")) as api:
        engine = load(api.url)
        hyp = best(engine.read([make_line()])[0])
    assert not hyp.scored
    reading = load_for(engine)(Candidates("l", (hyp,)))
    assert (reading.text, reading.confidence, reading.cluster_confidence) == ("କଟକ", None, ())
    assert rate_sureness([reading]) is None


@pytest.mark.parametrize(
    "logprobs",
    [
        {"content": [{"token": "କଟକ", "logprob": float("nan")}]},
        {"content": [{"token": "କଟକ", "logprob": 2.0}]},
        {"content": [{"token": "ପୁରୀ", "logprob": -1.0}]},
        {"content": [{"token": "କଟକ"}]},
        {"content": None},
        [],
    ],
)
def test_scores_that_cannot_be_right_are_left_aside(logprobs) -> None:
    with serve_chat(lambda body: say("କଟକ", logprobs=logprobs)) as api:
        hyp = best(read_one(api))
    assert (hyp.text, hyp.scored) == ("କଟକ", False)


def test_text_is_written_in_the_usual_spelling_and_impossible_scores_stay_finite() -> None:
    text = "ସତ୍\u200dଯ ଓଡ\u0b3cିଆ"
    logprobs = score((text.encode(), -9999.0))
    with serve_chat(lambda body: say(f"```\n{text}\n```", logprobs=logprobs)) as api:
        hyp = best(read_one(api))
    assert hyp.text == normalise(text) != text
    assert hyp.scored
    assert math.isfinite(hyp.optical_logp)


def test_several_readings_are_counted_and_the_most_frequent_comes_first() -> None:
    drawn = ["ଖଟକ", "କଟକ", "ଖଟକ", "ଖଟକ"]

    def answer(body):
        if body["temperature"] == 0:
            return say("କଟକ")
        return say(*drawn[: body["n"]])

    with serve_chat(answer) as api:
        cands = read_one(api, "?readings=5")
    assert isinstance(cands, Candidates)
    assert [(hyp.text, hyp.posterior) for hyp in cands.hypotheses] == [("ଖଟକ", 0.6), ("କଟକ", 0.4)]
    assert [hyp.source for hyp in cands.hypotheses] == ["remote:odia/sample", "remote:odia"]
    assert len(api.requests) == 2


def test_servers_that_give_one_answer_at_a_time_are_asked_again_with_other_seeds() -> None:
    turns = count()

    def answer(body):
        if "n" in body:
            return Reply({"detail": "Unexpected fields: {'n'}"}, 422)
        return say("କଟକ" if body["temperature"] == 0 else f"କଟକ {next(turns)}")

    with serve_chat(answer) as api:
        cands = read_one(api, "?readings=4")
    assert isinstance(cands, Candidates)
    assert len(cands.hypotheses) == 4
    seeds = [body["seed"] for body in api.requests if body["temperature"] and "n" not in body]
    assert seeds == [0, 1, 2]


def test_a_sample_that_goes_astray_leaves_the_others() -> None:
    def answer(body):
        return say("କଟକ") if body["temperature"] == 0 else say("କଟକ", "ହା ହା " * 50)

    with serve_chat(answer) as api:
        cands = read_one(api, "?readings=3")
    assert isinstance(cands, Candidates)
    assert [(hyp.text, hyp.posterior) for hyp in cands.hypotheses] == [("କଟକ", 1.0)]


def test_leaders_and_long_numbers_are_no_loops() -> None:
    assert find_loop("ବିଷୟ ........................ ୧୨") is None
    assert find_loop("1000000000000000") is None
    assert find_loop("ହା ହା ହା ହା") is None
    assert find_loop("କ" * 10) == "କ"


def test_counts_of_requests_do_not_depend_on_blank_lines() -> None:
    blank = LineImage("blank", np.full((40, 90, 3), 128, np.uint8))
    with serve_chat() as api:
        outcomes = load(api.url).read([blank, make_line("a"), blank])
    assert Counter(best(out).text == "" for out in outcomes) == {True: 2, False: 1}
    assert len(api.requests) == 1
