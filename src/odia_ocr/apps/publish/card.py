"""The model card: front matter with a model index for the hub, and a text for people.

Every figure comes from a file of results, with its interval and signature. Says only what the
folder, the results and the notes say; where they are silent it says that they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from odia_ocr.apps.publish.figures import Figure
from odia_ocr.apps.publish.model_folder import Kind, ModelFolder
from odia_ocr.evaluate.report import format_scores
from odia_ocr.evaluate.scores import METRICS
from odia_ocr.recognize.vlm.naming import PUBLISHED_TINY, TINY

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCard, ModelCardData

TITLES = {"cer": "CER", "wer": "WER", "cluster_error": "Cluster errors", "exact": "Exact"}
_HUB_METRICS = {
    "cer": "cer",
    "wer": "wer",
    "cluster_error": "cluster_error",
    "exact": "exact_match",
}
_TASK = "image-to-text"
_LIBRARIES: dict[Kind, str] = {"adapter": "peft", "model": "transformers", "onnx": "onnx"}
_PIPELINES: dict[Kind, str] = {
    "adapter": "image-text-to-text",
    "model": "image-text-to-text",
    "onnx": _TASK,
}
_WHAT: dict[Kind, str] = {
    "adapter": "A LoRA adapter that teaches a vision-language model to read printed Odia",
    "model": "A vision-language model that reads printed Odia",
    "onnx": "A compact recognizer of printed Odia that runs offline on a laptop's processor",
}
_SHIPPED = (
    f"the small Qwen2.5-VL that comes with the Python package `odia-ocr`, where it is called "
    f"`vlm:{TINY}`; `adapter_config.json` calls it `{PUBLISHED_TINY}`. It is on no hub, and "
    "`pip install 'odia-ocr[vlm]'` brings it"
)
_LIMITS = """\
- Made for printed Odia, with Latin words and both kinds of digits in it. Handwriting and other
  scripts are outside of that.
- The figures hold for the sets named above. Other scans, faces and times can read better or worse:
  measure on your own pages with `odia-ocr evaluate` before you rely on it.
- Do not use it where a wrong letter does harm and nobody looks: names, numbers and legal texts need
  a reader's eye."""
_USE = """\
Turning scans, photographs and PDFs of printed Odia into Unicode text: search, accessibility,
digital libraries, a first draft for people who proof-read. It reads one line at a time; finding the
lines of a page, their order and the output formats are the work of `odia-ocr`."""


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What goes into a card.

    Attributes:
        repo: OWNER/NAME on the hub.
        model: The folder.
        figures: What was measured.
        licence: As the hub names it, e.g. "apache-2.0"; None where only the base model's is known.
        datasets: Names on the hub of what it was trained on.
        notes: Markdown about its training and data, or "".
    """

    repo: str
    model: ModelFolder
    figures: tuple[Figure, ...]
    licence: str | None
    datasets: tuple[str, ...] = ()
    notes: str = ""


def make_card(facts: CardFacts) -> ModelCard:
    """The card of a model; `str()` of it is the README.md."""
    from huggingface_hub import ModelCard

    return ModelCard(f"---\n{_make_data(facts).to_yaml()}\n---\n\n{_write_text(facts)}")


def _make_data(facts: CardFacts) -> ModelCardData:
    from huggingface_hub import ModelCardData

    model = facts.model
    # What the base model's licence allows its own page says; nobody may guess it.
    unknown = facts.licence is None
    link = f"https://huggingface.co/{model.hub_base}" if unknown and model.hub_base else None
    return ModelCardData(
        language=["or"],
        license=facts.licence or "other",
        license_name="as-the-base-model" if unknown else None,
        license_link=link,
        library_name=_LIBRARIES[model.kind],
        pipeline_tag=_PIPELINES[model.kind],
        tags=["ocr", "odia", "oriya", "odia-ocr"],
        metrics=list(_HUB_METRICS.values()),
        datasets=list(facts.datasets) or None,
        base_model=model.hub_base,
        base_model_relation="adapter" if model.hub_base else None,
        model_name=facts.repo.partition("/")[2],
        eval_results=[
            result for figure in facts.figures if figure.own for result in _index(figure)
        ],
    )


def _index(figure: Figure) -> list[EvalResult]:
    """The figure as entries of the model index; rates are fractions, as everywhere on the hub."""
    from huggingface_hub import EvalResult

    scores = {metric: getattr(figure.scores, metric) for metric in METRICS}
    slug = re.sub(r"[^a-z0-9]+", "-", figure.set_name.lower()).strip("-")
    return [
        EvalResult(
            task_type=_TASK,
            dataset_type=slug,
            dataset_name=figure.set_name,
            dataset_args={"unit": figure.unit, "n": figure.scores.n},
            metric_type=_HUB_METRICS[metric],
            metric_name=f"{TITLES[metric]} ({figure.name})",
            metric_value=score.value,
            metric_args={
                "low": score.low,
                "high": score.high,
                "interval": "95 % bootstrap",
                "signature": figure.signature,
            },
        )
        for metric, score in scores.items()
    ]


def _write_text(facts: CardFacts) -> str:
    model = facts.model
    what = _WHAT[model.kind]
    if model.hub_base:
        what += f" ([{model.hub_base}](https://huggingface.co/{model.hub_base}))"
    elif model.base_model:
        what += f" ({_SHIPPED})"
    return f"""# {facts.repo.partition("/")[2]}

{what}, made and measured with `odia-ocr`.

## How well it reads

{_tabulate(facts.figures)}

Rates with 95 % bootstrap intervals. CER counts code points, cluster errors count grapheme clusters
(what a reader takes for one letter), exact is the share of pictures without any error. Figures can
be made again and compared by their signatures:

{_list_signatures(facts.figures)}

## Intended use

{_USE}

{_show_use(facts)}

## Training and data

{_write_notes(facts)}

## Limits

{_LIMITS}

## Licence

{_tell_licence(facts)}
"""


def _tabulate(figures: tuple[Figure, ...]) -> str:
    headings = ["Read with", "Set", "n", *TITLES.values()]
    own = [figure for figure in figures if figure.own]
    peers = [figure for figure in figures if not figure.own]
    rows = [
        [
            figure.name if figure.own else f"{figure.name} (not this model alone)",
            figure.set_name,
            f"{figure.scores.n} {figure.unit}s",
            *format_scores(figure.scores, METRICS),
        ]
        for figure in (*own, *peers)
    ]
    lines = [headings, ["---"] * 3 + ["---:"] * len(TITLES), *rows]
    return "\n".join(f"| {' | '.join(map(_escape, row))} |" for row in lines)


def _escape(cell: str) -> str:
    return cell.replace("|", "\\|")


def _list_signatures(figures: tuple[Figure, ...]) -> str:
    return "\n".join(
        f"- {figure.name}, {figure.set_name}: `{figure.signature}`" for figure in figures
    )


def _show_use(facts: CardFacts) -> str:
    model = facts.model
    if model.kind == "onnx":
        return f"""```sh
pip install odia-ocr huggingface_hub
hf download {facts.repo} --local-dir model
odia-ocr read page.jpg --engine ctc:model/{model.weights[0]}
```"""
    engine = f"{name_engine(model)} --adapter {facts.repo}" if model.base_model else None
    return f"""```sh
pip install 'odia-ocr[vlm]'
odia-ocr read page.jpg --engine {engine or f"vlm:{facts.repo}"}
```

Or serve it with any OpenAI-compatible server, and read with `--engine remote:URL#MODEL`."""


def name_engine(model: ModelFolder) -> str:
    """The engine that an adapter's base model is, for people with this package."""
    return f"vlm:{model.hub_base or TINY}"


def _write_notes(facts: CardFacts) -> str:
    named = "\n".join(f"- [{n}](https://huggingface.co/datasets/{n})" for n in facts.datasets)
    notes = _lower_headings(facts.notes).strip()
    parts = [f"Trained on:\n\n{named}" if named else "", notes]
    return "\n\n".join(filter(None, parts)) or "Its makers have left no notes on training and data."


def _lower_headings(markdown: str) -> str:
    """The notes as a part of the card: their title goes, and headings sink one level."""
    lines: list[str] = []
    fenced = False
    for line in markdown.splitlines():
        fenced ^= line.startswith("```")
        if fenced or not re.match(r"#+ ", line):
            lines.append(line)
        elif not line.startswith("# "):
            lines.append(f"#{line}")
    return "\n".join(lines)


def _tell_licence(facts: CardFacts) -> str:
    base = facts.model.hub_base
    if facts.licence and base:
        return f"{facts.licence}; the licence of {base} holds for what it is used with."
    if facts.licence:
        return f"{facts.licence}."
    if base:
        return f"As the base model: see [{base}](https://huggingface.co/{base})."
    return "See the model that it was made from."
