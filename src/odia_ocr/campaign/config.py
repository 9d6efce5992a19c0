"""What a campaign is told: data, engines, techniques with their grids, a budget.

Read from JSON, checked before anything runs: an unknown key or a value of the wrong kind fails.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from odia_ocr.campaign.stack import label_engines
from odia_ocr.errors import ConfigError

Level = Literal["quick", "mid", "full"]
LEVELS: tuple[Level, ...] = ("quick", "mid", "full")
Setting = str | int | float | bool
Grid = Mapping[str, tuple[Setting, ...]]

_COMPARE = "Compare it with campaigns/small.json."


@dataclass(frozen=True, slots=True)
class SetOrder:
    """Where lines come from: a labelled folder, or a rendered set.

    Attributes:
        folder: Folder of NAME.png beside NAME.gt.txt; empty for a rendered set.
        recipe: Name of a reporting recipe: "clean", "degraded", "latin" or "shifted".
        split: Half of the held-out texts: "check" for fitting, "report" for figures.
        lines_per_family: Lines of each held-out family.
        seed: Of the first family; None takes the published set's own.
        families: Names of faces' families; empty takes all held-out ones.
    """

    folder: str = ""
    recipe: str = ""
    split: Literal["check", "report"] = "check"
    lines_per_family: int = 0
    seed: int | None = None
    families: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.folder) == bool(self.recipe):
            raise ConfigError(
                "A set is either a folder or a rendered recipe.",
                next_step='Write {"folder": ...} or {"recipe": ..., "lines_per_family": ...}.',
            )
        if self.recipe and self.lines_per_family < 1:
            raise ConfigError(f"lines_per_family must be 1 or more, got {self.lines_per_family!r}.")
        if self.split not in ("check", "report"):
            raise ConfigError(f"split must be check or report, got {self.split!r}.")

    @property
    def name(self) -> str:
        """How reports call the set."""
        if self.folder:
            return "/".join(Path(self.folder).resolve().parts[-2:])
        return f"{self.recipe}, {self.split} half"


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign.

    Attributes:
        name: Of the campaign.
        fit: Lines that settings are chosen on and the stack is built on.
        report: Lines that figures are of; no setting ever sees them.
        also: Further sets that the single reader and the final stack are measured on.
        single: The engine every technique is added to, read by its best path.
        members: Engines of the diverse ensemble, besides `single`; "shipped" stands for all further
            models that this installation holds.
        floating: The engine whose weights are not quantised, or the trainer's .safetensors file of
            them, to measure what int8 costs; or "".
        halved: The engine with the same weights as 16-bit floats; "" makes it of `floating`.
        tesseract: Whether Tesseract joins where it is installed.
        learned: Engines that were trained by a technique of learning, by its key, e.g. "3-1".
        apart: Folders of further campaigns; what they measured stands in for techniques that this
            one does not, with their own sets named.
        techniques: Key -> grid of settings instead of the technique's own; empty takes all.
        minutes: Techniques not begun after so much work are left out, and say so.
        threads: Threads that engines compute with.
        resamples: Of the bootstrap intervals.
        worst: Lines with pictures in the report.
    """

    name: str
    fit: SetOrder
    report: SetOrder
    also: tuple[SetOrder, ...] = ()
    single: str = "ctc"
    members: tuple[str, ...] = ()
    floating: str = ""
    halved: str = ""
    tesseract: bool = False
    learned: Mapping[str, str] = field(default_factory=dict)
    apart: tuple[str, ...] = ()
    techniques: Mapping[str, Grid] = field(default_factory=dict)
    minutes: float = 30.0
    threads: int = 1
    resamples: int = 2000
    worst: int = 12

    def __post_init__(self) -> None:
        if self.minutes <= 0:
            raise ConfigError(f"minutes must be above 0, got {self.minutes!r}.")
        if self.resamples < 1000:
            raise ConfigError(f"resamples must be 1000 or more, got {self.resamples!r}.")
        if self.threads < 1:
            raise ConfigError(f"threads must be 1 or more, got {self.threads!r}.")
        if self.fit == self.report:
            raise ConfigError(
                "fit and report are the same set.",
                next_step="Settings must be chosen on other lines than figures are of.",
            )


# What is measured on when nobody wrote a configuration: few enough lines for a model that writes.
DEFAULT_CAMPAIGN = Campaign(
    name="default",
    fit=SetOrder(recipe="degraded", split="check", lines_per_family=10, seed=70001),
    report=SetOrder(recipe="degraded", split="report", lines_per_family=25),
    minutes=60.0,
)


def read_campaign(path: Path) -> Campaign:
    """Read a configuration.

    Raises:
        ConfigError: If it cannot be read, has an unknown key or a value of the wrong kind.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigError(f"Cannot read {path}: {why}.", next_step=_COMPARE) from None
    try:
        return make_campaign(values)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.message}", next_step=error.next_step) from None


def make_campaign(values: object) -> Campaign:
    """A campaign of plain values.

    Raises:
        ConfigError: On an unknown key, a missing one or a value of the wrong kind.
    """
    table = dict(_check_keys(values, Campaign, "the campaign"))
    for key in ("name", "fit", "report"):
        if key not in table:
            raise ConfigError(f"{key!r} is missing.", next_step=_COMPARE)
    for key in ("fit", "report"):
        table[key] = _make_set(table[key], key)
    also = _check_list(table.get("also", []), "also")
    table["also"] = tuple(_make_set(entry, f"also[{i}]") for i, entry in enumerate(also))
    table["members"] = _check_strings(table.get("members", []), "members")
    table["learned"] = _check_words(table.get("learned", {}), "learned")
    table["apart"] = _check_strings(table.get("apart", []), "apart")
    table["techniques"] = _make_grids(table.get("techniques", {}))
    return Campaign(**table)


def record_campaign(campaign: Campaign) -> dict[str, Any]:
    """The campaign as plain values for JSON; of folders the name alone, not where they lie."""
    values: dict[str, Any] = json.loads(json.dumps(asdict(campaign)))
    orders = (campaign.fit, campaign.report, *campaign.also)
    for entry, order in zip(
        (values["fit"], values["report"], *values["also"]), orders, strict=True
    ):
        if order.folder:
            entry["folder"] = order.name
    values["floating"], values["halved"] = label_engines([campaign.floating, campaign.halved])
    labels = label_engines(list(campaign.learned.values()))
    values["learned"] = dict(zip(campaign.learned, labels, strict=True))
    values["apart"] = [Path(folder).name for folder in campaign.apart]
    return values


def _make_set(value: object, where: str) -> SetOrder:
    table = dict(_check_keys(value, SetOrder, where))
    if "families" in table:
        table["families"] = _check_strings(table["families"], f"{where}.families")
    try:
        return SetOrder(**table)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error.message}", next_step=error.next_step) from None


def _make_grids(value: object) -> dict[str, Grid]:
    if not isinstance(value, dict):
        raise ConfigError(f"techniques must be an object, got {value!r}.", next_step=_COMPARE)
    grids: dict[str, Grid] = {}
    for key, grid in value.items():
        if not isinstance(grid, dict):
            raise ConfigError(f"techniques.{key} must be an object of lists, got {grid!r}.")
        grids[key] = {}
        for name, choices in grid.items():
            listed = tuple(_check_list(choices, f"techniques.{key}.{name}"))
            if not listed or not all(isinstance(c, str | int | float | bool) for c in listed):
                raise ConfigError(
                    f"techniques.{key}.{name} must list numbers or words, got {choices!r}."
                )
            grids[key] = {**grids[key], name: listed}
    return grids


def _check_keys(value: object, kind: type, where: str) -> Mapping[str, Any]:
    """The value as a table whose keys are fields of a dataclass, each of its field's kind."""
    if not isinstance(value, dict):
        raise ConfigError(f"{where} must be an object, got {value!r}.", next_step=_COMPARE)
    known = {entry.name: str(entry.type) for entry in fields(kind)}
    unknown = sorted(set(value) - set(known))
    if unknown:
        raise ConfigError(
            f"{where} has unknown keys: {', '.join(unknown)}.",
            next_step=f"Known: {', '.join(known)}.",
        )
    for key, found in value.items():
        if not _fits(found, known[key]):
            raise ConfigError(f"{where}: {key} must be {known[key]}, got {found!r}.")
    return value


def _fits(value: object, kind: str) -> bool:
    simple = {"str": str, "bool": bool, "int": int, "float": (int, float)}
    if kind == "int | None":
        return value is None or (isinstance(value, int) and not isinstance(value, bool))
    if kind not in simple:
        return True
    if kind != "bool" and isinstance(value, bool):
        return False
    return isinstance(value, simple[kind])  # type: ignore[arg-type]


def _check_list(value: object, where: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise ConfigError(f"{where} must be a list, got {value!r}.", next_step=_COMPARE)
    return list(value)


def _check_words(value: object, where: str) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(word, str) for word in value.values()):
        raise ConfigError(f"{where} must be an object of words, got {value!r}.")
    return dict(value)


def _check_strings(value: object, where: str) -> tuple[str, ...]:
    listed = _check_list(value, where)
    if not all(isinstance(entry, str) for entry in listed):
        raise ConfigError(f"{where} must list words, got {value!r}.", next_step=_COMPARE)
    return tuple(listed)
