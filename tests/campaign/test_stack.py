from __future__ import annotations

import pytest

from odia_ocr.campaign.catalogue import TECHNIQUES, find_techniques
from odia_ocr.campaign.stack import Rerank, Stack, describe_stack, name_engine, record_stack
from odia_ocr.campaign.techniques import Means
from odia_ocr.errors import UsageError

MEANS = Means(
    members=("ctc:a", "ctc:b"),
    ladder=("ctc:1", "ctc:2"),
    averaged="ctc:mean",
    floating="ctc:float",
    halved="ctc:half",
    tesseract=True,
    learned=dict.fromkeys(
        [t.key for t in TECHNIQUES.values() if t.key.startswith(("3-", "+/"))], "l"
    ),
)
MEASURED = [key for key, technique in TECHNIQUES.items() if technique.change is not None]


def add(key: str, stack: Stack) -> Stack:
    technique = TECHNIQUES[key]
    assert technique.change is not None
    settings = technique.defaults or {"optical": 1.0, "alpha": 0.5, "beta": 0.0}
    return technique.change(stack, settings, MEANS)


@pytest.mark.parametrize("key", MEASURED)
def test_every_technique_changes_the_stack_it_starts_from(key: str) -> None:
    technique = TECHNIQUES[key]
    start = technique.start(MEANS)
    assert add(key, start) != start
    assert technique.need(MEANS) in ("", "This process may use one core only.")


@pytest.mark.parametrize("key", [key for key in MEASURED if TECHNIQUES[key].joins])
def test_techniques_that_join_can_be_put_on_any_stack(key: str) -> None:
    for other in MEASURED:
        below = add(other, Stack(("ctc",)))
        above = add(key, below)
        assert add(key, above) == above, "twice is once"


def test_names_and_keys_tell_techniques_apart() -> None:
    names = [(technique.id, technique.name) for technique in TECHNIQUES.values()]
    assert len(set(names)) == len(names)
    ids = {technique.id for technique in TECHNIQUES.values()}
    planned = "2A-1 2A-2 2A-3 2B-1 2B-2 2B-3 2C-1 2C-2 2C-3 3-1 3-2 +".split()
    assert ids == set(planned)


def test_techniques_are_found_by_id_and_key() -> None:
    assert [t.key for t in find_techniques("2a-1")] == ["2A-1"]
    assert len(find_techniques("2A-2")) > 5
    assert find_techniques("+/int8")[0].name == "Quantisation to int8"
    with pytest.raises(UsageError, match="2A-9"):
        find_techniques("2A-9")


def test_only_what_differs_is_recorded() -> None:
    stack = Stack(("ctc",), decode="beam", lm=True, rerank=Rerank(1.0, 0.5, 0.0))
    assert record_stack(Stack(("ctc",))) == {"engines": ["ctc"]}
    assert record_stack(stack) == {
        "engines": ["ctc"],
        "decode": "beam",
        "lm": True,
        "rerank": {"optical": 1.0, "alpha": 0.5, "beta": 0.0},
    }
    assert describe_stack(stack) == "ctc, beam, lm, reranked"
    two = Stack(("ctc", "ctc:runs/b.onnx"), versions=("as-is", "blur"), average="log")
    assert describe_stack(two) == "ctc+b, as-is+blur, average log"
    many = Stack(("ctc", "ctc:a", "ctc:b", "tesseract"), combine="majority")
    assert describe_stack(many) == "4 engines, majority"
    assert name_engine("ctc:/runs/x/checkpoint-100-0123456789ab.onnx") == "checkpoint-100"


@pytest.mark.parametrize(
    "wrong",
    [
        {"engines": ()},
        {"versions": ("upside-down",)},
        {"temperature": 0.0},
        {"decode": "guess"},
        {"combine": "dice"},
    ],
)
def test_impossible_stacks_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Stack(**{"engines": ("ctc",), **wrong})  # type: ignore[arg-type]
