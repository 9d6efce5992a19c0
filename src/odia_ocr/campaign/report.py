"""A campaign's record as JSON: all figures, and one row for each technique.

`evaluation_results.json` holds every stack measured on the reporting lines; each figure of
`performance_improvement_strategies.json` is found there again, by its signature. Rates are
fractions. Writes what the record says and computes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from odia_ocr.campaign.apart import RESULTS, STRATEGIES
from odia_ocr.campaign.building import Built
from odia_ocr.campaign.config import record_campaign
from odia_ocr.campaign.ladders import Checkpoint, Rung
from odia_ocr.campaign.measure import Comparison, Measured, Scorer
from odia_ocr.campaign.outcome import Elsewhere, Outcome, Row
from odia_ocr.campaign.reliability import judge_confidence
from odia_ocr.campaign.stack import describe_stack, label_engines, record_stack
from odia_ocr.campaign.techniques import Claim, Technique
from odia_ocr.campaign.verdicts import judge
from odia_ocr.data.sets.out_files import write_whole
from odia_ocr.evaluate.report import record_differences, record_scores
from odia_ocr.evaluate.scores import METRICS

SCHEMA = 1
_CLOSE = 1e-9


def record_outcome(outcome: Outcome) -> dict[str, Any]:
    """Everything a campaign found, as plain values for JSON."""
    pairs = [row.comparison for row in outcome.rows if row.comparison is not None]
    pairs += _list_pairs(outcome.built, outcome.elsewhere)
    return {
        "schema": SCHEMA,
        "results": [_record_measured(measured) for measured in _list_measured(outcome, pairs)],
        "paired": [_record_comparison(pair) for pair in pairs],
        "campaign": record_campaign(outcome.campaign),
        "level": outcome.level,
        "sets": {
            "fit": _record_set(outcome.fit),
            "report": _record_set(outcome.report),
        },
        "stack": _record_built(outcome.built),
        "ladders": {level: list(map(_record_rung, r)) for level, r in outcome.ladders.items()},
        "confidence": [
            _record_confidence(measured)
            for measured in dict.fromkeys((outcome.single, outcome.best))
        ],
        "checkpoints": [_record_checkpoint(found) for found in outcome.checkpoints],
        "apart": {
            "results": [dict(one) for apart in outcome.apart for one in apart.results],
            "paired": [dict(pair) for apart in outcome.apart for pair in apart.paired],
        },
        "problems": [
            {"code": problem.code, "message": problem.message, "line": problem.line_id}
            for problem in outcome.problems
        ],
    }


def record_strategies(outcome: Outcome) -> list[dict[str, Any]]:
    """One row for each technique, in the plan's order; taken over where it was measured apart."""
    rows: list[dict[str, Any]] = []
    for row in outcome.rows:
        found = outcome.find_apart(row)
        rows.append(dict(found[1]) if found else _record_row(row, outcome.built))
    return rows


def write_records(outcome: Outcome, folder: Path) -> None:
    """Write both files.

    Raises:
        OutputError: If they cannot be written.
    """
    _write(folder / RESULTS, record_outcome(outcome))
    _write(folder / STRATEGIES, record_strategies(outcome))


def find_unbacked(strategies: Sequence[Mapping[str, Any]], record: Mapping[str, Any]) -> list[str]:
    """Complaints about rows whose figures are not in the record of results.

    Args:
        strategies: Rows, as `record_strategies` gives them.
        record: What `record_outcome` gave.
    """
    parts = (record.get("apart", {}), record)  # what was measured here comes last and holds
    results = {one["signature"]: one for part in parts for one in part.get("results", [])}
    pairs = {(one["first"], one["second"]): one for part in parts for one in part.get("paired", [])}
    complaints: list[str] = []
    for row in strategies:
        measured = row["measured"]
        where = f"{row['id']} {row['name']}"
        if measured is None:
            if not row.get("why"):
                complaints.append(f"{where}: neither measured nor a reason why not")
            continue
        after = results.get(measured["signature"])
        if after is None:
            complaints.append(f"{where}: no result has the signature {measured['signature']}")
            continue
        complaints += [
            f"{where}: {name} is {ours!r}, in the results {theirs!r}"
            for name, ours, theirs in _match(measured, after, results, pairs)
            if not _is_same(ours, theirs)
        ]
    return complaints


def _match(
    measured: Mapping[str, Any],
    after: Mapping[str, Any],
    results: Mapping[str, Any],
    pairs: Mapping[tuple[str, str], Any],
) -> list[tuple[str, Any, Any]]:
    """(name, figure of the row, figure of the results) of one row."""
    facts = [
        ("n", measured["n"], after["n"]),
        ("set", measured["set"], after["set"]),
        ("after", measured["after"], after["cer"]["value"]),
        ("seconds_per_line", measured["seconds_per_line"], after["seconds_per_line"]),
    ]
    gap = {
        (results[one]["cer"]["value"], *(pair["cer"][key] for key in ("value", "low", "high")))
        for (one, other), pair in pairs.items()
        if other == after["signature"] and one in results
    }
    ours = tuple(measured[key] for key in ("before", "delta", "low", "high"))
    near = [found for found in gap if all(map(_is_same, ours, found))]
    return [*facts, ("before, delta, low, high", ours, near[0] if near else sorted(gap))]


def _is_same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, float) and isinstance(theirs, float):
        return abs(ours - theirs) <= _CLOSE
    if isinstance(ours, tuple) and isinstance(theirs, tuple) and len(ours) == len(theirs):
        return all(map(_is_same, ours, theirs))
    return bool(ours == theirs)


def _list_pairs(built: Built | None, elsewhere: Sequence[Elsewhere]) -> list[Comparison]:
    pairs: list[Comparison] = []
    if built is not None:
        pairs.append(built.whole)
        pairs += [pair for step in built.steps for pair in (step.measured, step.inside)]
    return pairs + [pair for found in elsewhere for pair in (found.fused, found.stack)]


def _list_measured(outcome: Outcome, pairs: Sequence[Comparison]) -> list[Measured]:
    """Everything measured on reporting lines and further sets, each once."""
    further = [measured for pair in pairs for measured in (pair.before, pair.after)]
    found = {measured.signature: measured for measured in (*outcome.report.known, *further)}
    return list(found.values())


def _record_measured(measured: Measured) -> dict[str, Any]:
    readings = measured.readings
    return {
        "engine": "+".join(label_engines(measured.stack.engines)),
        "set": measured.set_name,
        "unit": "line",
        "n": measured.scores.n,
        **record_scores(measured.scores, METRICS),
        "signature": measured.signature,
        "name": describe_stack(measured.stack),
        "stack": record_stack(measured.stack),
        "seconds": readings.cost.seconds,
        "seconds_per_line": readings.seconds_per_line,
        "memory_mb": readings.cost.memory_mb,
        "failed": readings.failed,
        # Wrong code points of each line in order, so that campaigns can be compared line by line.
        "edits": " ".join(str(line.chars.edits) for line in measured.counts),
    }


def _record_comparison(pair: Comparison) -> dict[str, Any]:
    return {
        "first": pair.before.signature,
        "second": pair.after.signature,
        "set": pair.after.set_name,
        **record_differences(pair.differences, METRICS),
        "wins": pair.wins,
        "losses": pair.losses,
    }


def _record_set(scorer: Scorer) -> dict[str, Any]:
    texts = scorer.bench.texts
    return {
        "name": scorer.bench.name,
        "lines": len(texts),
        "digest": scorer.bench.digest,
        "references": scorer.bench.references,
        "problems": len(scorer.bench.problems),
    }


def _record_built(built: Built | None) -> dict[str, Any] | None:
    if built is None:
        return None
    return {
        "stack": record_stack(built.stack),
        "signature": built.whole.after.signature,
        "steps": [
            {
                "key": step.fitted.technique.key,
                "name": step.fitted.technique.name,
                "settings": dict(step.fitted.settings),
                "on_fitting_lines": _record_gap(step.chosen),
                "added": _record_gap(step.measured),
                "inside": _record_gap(step.inside),
                "alone": _record_gap(step.alone),
                "interaction": step.interaction,
            }
            for step in built.steps
        ],
        "dropped": [fitted.technique.key for fitted in built.dropped],
        "whole": _record_gap(built.whole),
    }


def _record_gap(pair: Comparison) -> dict[str, float]:
    gap = pair.differences.cer
    return {
        "before": pair.before.scores.cer.value,
        "after": pair.after.scores.cer.value,
        "delta": gap.value,
        "low": gap.low,
        "high": gap.high,
    }


def _record_confidence(measured: Measured) -> dict[str, Any]:
    found = judge_confidence(measured)
    values: dict[str, Any] = {"signature": measured.signature}
    return values | (asdict(found) if found is not None else {"n": 0})


def _record_rung(rung: Rung) -> dict[str, Any]:
    return {
        "name": rung.name,
        "key": rung.key,
        "claimed": record_claim(rung.claim),
        "cer": rung.measured.scores.cer.value if rung.measured else None,
        "signature": rung.measured.signature if rung.measured else None,
        "why": rung.why,
    }


def _record_checkpoint(found: Checkpoint) -> dict[str, Any]:
    return {
        "engine": label_engines([found.engine])[0],
        "claimed": found.claim,
        "cer": found.measured.scores.cer.value,
        "signature": found.measured.signature,
    }


def record_claim(claim: Claim | None) -> dict[str, Any] | None:
    """A claim as plain values, in percent CER as the plan wrote it."""
    if claim is None:
        return None
    return {"from": claim.start, "to": [claim.low, claim.high]}


def describe_technique(technique: Technique) -> dict[str, Any]:
    """What a row says of a technique before anything is measured."""
    return {
        "id": technique.id,
        "phase": technique.phase,
        "name": technique.name,
        "effort": technique.effort,
        "claimed": record_claim(technique.claim),
    }


def _record_row(row: Row, built: Built | None) -> dict[str, Any]:
    values = describe_technique(row.technique)
    if row.comparison is None or row.fitted is None:
        values |= {"engine": None, "settings": None, "measured": None, "why": row.why}
    else:
        after = row.comparison.after
        values |= {
            "engine": "+".join(label_engines(after.stack.engines)),
            "settings": dict(row.fitted.settings),
            "measured": {
                "n": after.scores.n,
                **_record_gap(row.comparison),
                "seconds_per_line": after.readings.seconds_per_line,
                "set": after.set_name,
                "signature": after.signature,
            },
        }
    return {**values, "verdict": judge(row, built), "example": row.technique.example}


def _write(path: Path, values: object) -> None:
    text = json.dumps(values, ensure_ascii=False, indent=1) + "\n"
    write_whole(path, text.encode())
