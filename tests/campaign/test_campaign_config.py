from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from odia_ocr.campaign.config import (
    Campaign,
    SetOrder,
    make_campaign,
    read_campaign,
    record_campaign,
)
from odia_ocr.errors import ConfigError

SHIPPED = Path(__file__).parents[2] / "campaigns"


def plain(**changes: Any) -> dict[str, Any]:
    return {
        "name": "x",
        "fit": {"recipe": "degraded", "lines_per_family": 2},
        "report": {"recipe": "degraded", "split": "report", "lines_per_family": 2},
        **changes,
    }


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.json")), ids=lambda path: path.name)
def test_shipped_configurations_can_be_read(path: Path) -> None:
    campaign = read_campaign(path)
    assert campaign.fit.split == "check", "settings may not be chosen on reporting lines"
    assert campaign.report.split == "report"
    assert campaign.report.seed is None, "figures are of the published set and what follows it"


def test_the_shipped_campaign_is_large_enough() -> None:
    campaign = read_campaign(SHIPPED / "odia.json")
    families = 4
    assert campaign.report.lines_per_family * families >= 2000
    assert campaign.fit.lines_per_family >= campaign.report.lines_per_family


def test_a_record_can_be_read_back() -> None:
    grids = {"2A-1": {"width": [5, 8]}}
    learned = {"3-1": "ctc:a.onnx"}
    changes = {"members": ["ctc:a.onnx"], "techniques": grids, "learned": learned}
    campaign = make_campaign(plain(**changes, apart=["a"], minutes=2))
    # Names of files and folders stay, where they lie does not.
    campaign = make_campaign(record_campaign(campaign))
    assert make_campaign(record_campaign(campaign)) == campaign


def test_a_record_does_not_say_where_folders_lie() -> None:
    campaign = make_campaign(plain(also=[{"folder": "/home/me/real/lines"}]))
    assert record_campaign(campaign)["also"][0]["folder"] == "real/lines"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"engine": "ctc"}, "unknown keys: engine"),
        ({"fit": {"recipe": "degraded", "lines": 3}}, "fit has unknown keys: lines"),
        ({"fit": {}}, "either a folder or a rendered recipe"),
        ({"fit": {"recipe": "degraded", "folder": "x"}}, "either a folder or a rendered"),
        ({"fit": {"recipe": "degraded"}}, "lines_per_family must be 1 or more"),
        ({"fit": {"recipe": "degraded", "lines_per_family": 2, "split": "train"}}, "split"),
        ({"minutes": "30"}, "minutes must be float"),
        ({"minutes": 0}, "minutes must be above 0"),
        ({"threads": True}, "threads must be int"),
        ({"resamples": 10}, "resamples must be 1000 or more"),
        ({"members": "ctc"}, "members must be a list"),
        ({"members": [1]}, "members must list words"),
        ({"learned": ["ctc"]}, "learned must be an object of words"),
        ({"learned": {"3-1": 1}}, "learned must be an object of words"),
        ({"apart": "folder"}, "apart must be a list"),
        ({"techniques": []}, "techniques must be an object"),
        ({"techniques": {"2A-1": [5]}}, "object of lists"),
        ({"techniques": {"2A-1": {"width": 5}}}, "must be a list"),
        ({"techniques": {"2A-1": {"width": [[5]]}}}, "numbers or words"),
        ({"report": {"recipe": "degraded", "lines_per_family": 2}}, "the same set"),
    ],
)
def test_wrong_configurations_say_what_is_wrong(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_campaign(plain(**changes))
    assert said in str(caught.value)


@pytest.mark.parametrize("missing", ["name", "fit", "report"])
def test_a_missing_key_is_named(missing: str) -> None:
    values = plain()
    del values[missing]
    with pytest.raises(ConfigError, match=f"'{missing}' is missing"):
        make_campaign(values)


def test_the_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    for content in ("{", json.dumps(plain(colour="red")), "[]"):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(ConfigError, match=r"mine\.json"):
            read_campaign(path)
    with pytest.raises(ConfigError, match=r"other\.json"):
        read_campaign(tmp_path / "other.json")


def test_sets_have_names() -> None:
    assert SetOrder(folder="/a/real/lines").name == "real/lines"
    assert SetOrder(recipe="clean", lines_per_family=1).name == "clean, check half"
    order = SetOrder(folder="a")
    assert Campaign("x", order, SetOrder(folder="b")).single == "ctc"
