"""Regenerate the measured and the simulated tables of docs/batch.md.

    python scripts/batch_report.py [--machines 1 --machines 10 ...] [--workers 16] [--price 1.20]
        [--storage 1000] [--rates docs/reports/batch-rates.json] [--print]

The measured rows are those of docs/reports/batch-*.json; the simulation is calibrated with
batch-rates.json, or with rates of your own batch (`benchmarks/batch_rates.py --manifest`). Costs
are told only with --price, of an hour of one machine.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from odia_ocr.apps.batch.simulation import Rates, estimate, most_workers, simulate

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "docs" / "reports"
GUIDE = ROOT / "docs" / "batch.md"
PLOT = ROOT / "docs" / "batch-scale.svg"
MEGABYTE = 1e6
PAGES = (1_000_000, 10_000_000, 100_000_000)
START_SECONDS = 60.0  # for machines to come up; next to nothing of such batches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--machines", type=int, action="append", help="[default: 1 10 100 1000]")
    parser.add_argument("--workers", type=int, default=16, help="of one machine")
    parser.add_argument("--price", type=float, help="of an hour of one machine")
    parser.add_argument("--storage", type=float, default=1000.0, help="MB/s, for all machines")
    parser.add_argument("--rates", type=Path, default=REPORTS / "batch-rates.json")
    parser.add_argument("--print", action="store_true", help="only show the simulation")
    options = parser.parse_args()
    options.machines = options.machines or [1, 10, 100, 1000]
    record = json.loads(options.rates.read_text("utf-8"))
    rates = read_rates(record, options.storage * MEGABYTE)
    table = make_simulation(record, rates, options)
    if options.print:
        print(table)
        return
    guide = GUIDE.read_text("utf-8")
    guide = put_between(guide, "measured", make_measured())
    guide = put_between(guide, "simulation", table)
    GUIDE.write_text(guide, "utf-8")
    PLOT.write_text(draw_plot(rates), "utf-8")


def read_rates(record: dict[str, Any], storage: float) -> Rates:
    """The rates of a Ray batch, whose head also hands out tasks over the network."""
    head = record["head"]
    return Rates(
        page_seconds=tuple(record["page_seconds"]["quantiles"]),
        head_seconds=head["seconds_per_page"] + record["ray"]["seconds_per_task"],
        closing_seconds=head["closing_seconds_per_page"],
        start_seconds=START_SECONDS,
        page_bytes=record["page_bytes"],
        storage=storage,
    )


def make_measured() -> str:
    """A row for each stored report."""
    rows = ["| What | Measured | How |", "|---|---|---|"]
    for name, describe in (("batch-speed", tell_speed), ("batch-kills", tell_kills)):
        path = REPORTS / f"{name}.json"
        if path.exists():
            rows += describe(json.loads(path.read_text("utf-8")))
    return "\n".join(rows)


def tell_speed(record: dict[str, Any]) -> list[str]:
    where = f"{record['cores']} cores, preset {record['preset']}, {record['date']}"
    two, ray = record["two_workers"], record["ray"]
    return [
        f"| Two workers against one, whole command | {tell_ratio(two)} times as fast | "
        f"{tell_rounds(two)}; {where} |",
        f"| Ray against processes, two workers, whole command | {tell_ratio(ray)} times as long | "
        f"{tell_rounds(ray)}; same output: {'yes' if ray['same_outputs'] else 'no'}; {where} |",
    ]


def tell_ratio(found: dict[str, Any]) -> str:
    return f"{found['median']:.2f} ({found['low']:.2f} to {found['high']:.2f})"


def tell_rounds(found: dict[str, Any]) -> str:
    loads = [each["load"] for each in found["rounds"]]
    return (
        f"{found['pages']} small pages, {len(found['rounds'])} rounds in turns, "
        f"load {min(loads):.1f} to {max(loads):.1f}"
    )


def tell_kills(record: dict[str, Any]) -> list[str]:
    same = "byte for byte the same" if record["identical"] else "NOT the same"
    return [
        f"| Killed {record['kills']} times at random moments | output {same}, "
        f"{record['pages_done']} of {record['pages']} pages done | runner {record['runner']}, "
        f"seed {record['seed']}, {record['seconds']:.0f} s in all, {record['date']} |"
    ]


def make_simulation(record: dict[str, Any], rates: Rates, options: argparse.Namespace) -> str:
    """The table of hours, and what it is calibrated with."""
    mean = sum(rates.page_seconds) / len(rates.page_seconds)
    assert rates.storage is not None
    lines = [
        f"Calibrated on {record['date']} with {record['pages']} pages "
        f"(mean {mean:.2f} s on one core, {rates.page_bytes / 1e3:.0f} kB a file), "
        f"{1e3 * record['head']['seconds_per_page']:.1f} ms a page for the head and "
        f"{1e3 * record['ray']['seconds_per_task']:.2f} ms for Ray's part of it, "
        f"{1e3 * rates.closing_seconds:.2f} ms a page for table and report "
        f"(load {record['load']:.1f}). "
        f"Machines of {options.workers} workers; storage of {options.storage:g} MB/s for all.",
        "",
        f"One head keeps about {most_workers(rates)} workers busy with such pages; pages that take "
        "longer allow for more in proportion.",
        "",
    ]
    columns = ["Pages", "Machines", "One batch: hours", "limited by"]
    columns += ["A batch a machine: hours", "limited by", "Its machine hours"]
    head = f"| {' | '.join(columns)} |"
    ruler = "|---:|---:|---:|---|---:|---|---:|"
    if options.price is not None:
        head, ruler = head + " Cost |", ruler + "---:|"
    lines += [head, ruler]
    for pages in PAGES:
        for machines in options.machines:
            one = estimate(rates, pages, machines=machines, workers=options.workers)
            each = estimate(
                rates,
                pages,
                machines=machines,
                workers=options.workers,
                batches=machines,
                price=options.price,
            )
            row = (
                f"| {pages // 1_000_000} million | {machines} | {one.hours:,.1f} | {one.limit} | "
                f"{each.hours:,.1f} | {each.limit} | {each.machine_hours:,.0f} |"
            )
            lines.append(row if each.cost is None else f"{row} {each.cost:,.0f} |")
    return "\n".join(lines)


def draw_plot(rates: Rates) -> str:
    """Pages a second of one batch against workers, both axes logarithmic, as SVG."""
    counts = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000]
    speeds = [simulate(rates, count).pages_per_second for count in counts]
    mean = sum(rates.page_seconds) / len(rates.page_seconds)
    return draw_loglog(counts, {"simulated": speeds, "without a limit": [c / mean for c in counts]})


def draw_loglog(counts: list[int], curves: dict[str, list[float]]) -> str:
    from math import ceil, floor, log10

    width, height, left, below = 560, 320, 60, 40
    low = floor(log10(min(min(ys) for ys in curves.values())))
    high = ceil(log10(max(max(ys) for ys in curves.values())))
    right = log10(counts[-1])

    def place(count: float, speed: float) -> str:
        x = left + (width - left - 10) * log10(count) / right
        y = 10 + (height - below - 10) * (high - log10(speed)) / (high - low)
        return f"{x:.1f},{y:.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="11" role="img">',
        "<title>Pages a second of one batch by its workers</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for power in range(low, high + 1):
        x, y = place(1, 10**power).split(",")
        parts += [
            f'<line x1="{x}" y1="{y}" x2="{width - 10}" y2="{y}" stroke="#ddd"/>',
            f'<text x="{left - 6}" y="{float(y) + 4:.1f}" text-anchor="end">{10**power:g}</text>',
        ]
    for count in (1, 10, 100, 1000):
        x, y = place(count, 10**low).split(",")
        parts.append(f'<text x="{x}" y="{float(y) + 15:.1f}" text-anchor="middle">{count}</text>')
    for (name, speeds), colour in zip(curves.items(), ("#0b5cad", "#888"), strict=True):
        points = " ".join(place(*pair) for pair in zip(counts, speeds, strict=True))
        dashes = "" if name == "simulated" else ' stroke-dasharray="4 3"'
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}"{dashes}/>')
        x, y = place(counts[-1], speeds[-1]).split(",")
        parts.append(
            f'<text x="{x}" y="{float(y) + 22:.1f}" text-anchor="end" fill="{colour}">{name}</text>'
        )
    parts.append(
        f'<text x="{width / 2}" y="{height - 4}" text-anchor="middle">workers of one batch '
        "(pages a second upwards)</text></svg>\n"
    )
    return "\n".join(parts)


def put_between(text: str, name: str, table: str) -> str:
    """Replace what stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, rest = text.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}\n{table}\n{end}{after}"


if __name__ == "__main__":
    main()
