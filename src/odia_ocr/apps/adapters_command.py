"""`odia-ocr adapters`: inspect, grow, average, merge, export."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from odia_ocr.apps.out_folder import check_folder

if TYPE_CHECKING:
    from odia_ocr.train.adapters.inspect import AdapterReport
    from odia_ocr.train.adapters.merge import Merge

app = typer.Typer(help="Work on LoRA adapters of a vision-language model.", no_args_is_help=True)

# The options of several commands.
Folder = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="An adapter, e.g. RUN/checkpoint-250.")
]
Out = Annotated[Path, typer.Option("-o", "--out", help="Folder to write.")]
Force = Annotated[bool, typer.Option("--force", help="Write into a non-empty folder.")]
Check = Annotated[
    bool,
    typer.Option(help="Hold the merged model against model and adapter on rendered lines."),
]


@app.command("inspect")
def inspect(
    folder: Folder,
    base: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it
        typer.Option(
            metavar="MODEL",
            help="Folder, cached hub id or tiny: tell whether the adapter fits it. [default: the "
            "model that the adapter names, when that is a folder or tiny]",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what an adapter is: rank, scaling, layers with the norm of what they add, its model.

    Reads the files only; no model is built. A dead layer (B all zero) adds nothing.

    \b
    Examples:
      odia-ocr adapters inspect runs/lora/checkpoint-250
      odia-ocr adapters inspect my-adapter --base models/Qwen2.5-VL-3B-Instruct --json

    \b
    Exit status: 0; 1 when it does not fit the model; 3 when something is missing or damaged.
    """
    import json

    with _name_library():
        from odia_ocr.train.adapters.inspect import inspect_adapter, record_report

        report = inspect_adapter(folder, base=base)
        if as_json:
            typer.echo(json.dumps(record_report(report), ensure_ascii=False, indent=1))
        else:
            _print_report(report)
    if report.misfits:
        raise typer.Exit(1)


@app.command("grow")
def grow(
    folder: Folder,
    out: Out,
    rank: Annotated[int, typer.Option(min=1, help="The new rank, of all layers.")],
    seed: Annotated[int, typer.Option(min=0, help="Of the new rows of A.")] = 0,
    force: Force = False,
) -> None:
    """Give an adapter a larger rank; what it adds stays the same.

    New columns of B are zero and alpha grows with the rank, so the outputs are equal; new rows of A
    are random, so that training goes on in all of the rank. Also for rsLoRA, DoRA, and ranks or
    alphas of single layers.

    Example: odia-ocr adapters grow runs/lora/checkpoint-250 -o grown --rank 64
    """
    check_folder(out, force=force)
    with _name_library():
        from odia_ocr.train.adapters.grow import grow_adapter

        grown = grow_adapter(folder, out, rank=rank, seed=seed)
    low, high = grown.before
    before = str(low) if low == high else f"{low} to {high}"
    typer.echo(f"Rank {before} -> {grown.rank}, alpha {grown.alpha:g}, {grown.layers} layers")
    typer.echo(f"Largest difference of an output: {grown.difference:.2g} of the largest output")


@app.command("average")
def average(
    folders: Annotated[
        list[Path], typer.Argument(metavar="FOLDER...", help="Adapters on the same layers.")
    ],
    out: Out,
    weights: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it
        typer.Option(metavar="W,W,...", help="How much each counts. [default: all alike]"),
    ] = None,
    rank: Annotated[
        Optional[int],  # noqa: UP045 - typer reads it
        typer.Option(
            min=1,
            help="Largest rank of the mean; what that costs is printed. [default: exact]",
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Make the weighted mean of adapters: one adapter that reads at the price of one.

    Exact: what the mean adds to each weight is the mean of what the adapters add. Its rank is the
    sum of theirs, unless --rank cuts it off by singular values. Ranks and alphas may differ.

    PEFT's add_weighted_adapter(combination_type="linear") is not this: it averages A and B apart,
    and the product of two means holds every B times every A. Five near-equal checkpoints weighted
    1/5 come out about five times too strong. (Its "svd" and "cat" are right.)

    \b
    Examples:
      odia-ocr adapters average runs/lora/checkpoint-* -o mean
      odia-ocr adapters average a b --weights 3,1 --rank 32 -o mean
    """
    check_folder(out, force=force)
    given = _parse_weights(weights) if weights is not None else None
    with _name_library():
        from odia_ocr.train.adapters.average import average_adapters

        made = average_adapters(folders, out, weights=given, rank=rank)
    for folder, share in zip(folders, made.shares, strict=True):
        typer.echo(f"{share:8.4f}  {folder}")
    typer.echo(f"Rank {made.rank} of {made.exact_rank}, {made.layers} layers")
    if made.error:
        typer.echo(
            f"Cut off: {100 * made.error:.3g} % of the norm, at most {100 * made.worst_error:.3g} "
            f"% ({made.worst_layer})"
        )
    else:
        typer.echo("Cut off: nothing, the mean is exact")


@app.command("merge")
def merge(
    folder: Folder,
    out: Out,
    base: Annotated[
        str, typer.Option(metavar="MODEL", help="Folder or hub id of the model, or tiny.")
    ],
    check: Check = True,
    force: Force = False,
) -> None:
    """Add an adapter to the weights of its model: a model that needs no adapter.

    Numbers keep their kind (e.g. bfloat16). Tokenizer, processor and settings are copied, so the
    folder opens by itself. The merged model must say what model and adapter say, up to rounding.

    \b
    Examples:
      odia-ocr adapters merge --base Qwen/Qwen2.5-VL-3B-Instruct my-adapter -o merged
      odia-ocr read page.png --engine vlm:merged
    """
    check_folder(out, force=force)
    with _name_library():
        from odia_ocr.train.adapters.merge import merge_adapter

        made = merge_adapter(base, folder, out, check=check)
    _print_merge(made)
    typer.echo(f"Read with: odia-ocr read PICTURE --engine vlm:{out}")


@app.command("export")
def export(
    folder: Folder,
    out: Out,
    server: Annotated[
        str, typer.Option("--for", metavar="vllm|llama.cpp|transformers", help="The server.")
    ],
    base: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it
        typer.Option(
            metavar="MODEL",
            help="Folder or hub id of the model. [default: the one that the adapter names]",
            show_default=False,
        ),
    ] = None,
    check: Check = True,
    force: Force = False,
) -> None:
    """Write what a server needs, and the commands that start it.

    vLLM gets the adapter, with the names of layers and the one scaling that it reads; llama.cpp and
    transformers get a merged model, as does vLLM for DoRA. The commands are printed and written to
    OUT/SERVING.md.

    Example: odia-ocr adapters export my-adapter --for vllm -o serve/
    """
    check_folder(out, force=force)
    with _name_library():
        from odia_ocr.train.adapters.export import export_adapter

        made = export_adapter(folder, out, server=server, base=base, check=check)
    if made.reason:
        typer.echo(f"Merged into the model: {made.reason}.")
    if made.merge is not None:
        _print_merge(made.merge)
    typer.echo("\n".join(made.serving.commands))


@contextmanager
def _name_library() -> Iterator[None]:
    """Name the extra when a library is missing."""
    from odia_ocr.errors import name_extra

    try:
        yield
    except ImportError as error:
        raise name_extra(error, "vlm", doing="Work on adapters") from error


def _parse_weights(text: str) -> list[float]:
    from odia_ocr.errors import UsageError

    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(
            f"--weights {text!r} are no numbers.", next_step="Write them like this: 3,1,0.5"
        ) from error


def _print_merge(made: Merge) -> None:
    typer.echo(f"{made.layers} weights changed, kept as {made.dtype}")
    if made.agreement is None:
        typer.echo("Not checked")
        return
    held = made.agreement
    typer.echo(
        f"Largest difference of a logit: {held.difference:.3g} (allowed {held.tolerance:.3g}; the "
        f"adapter changes them by up to {held.effect:.3g})"
    )
    if held.drowned:
        typer.echo(
            f"Rounding to {made.dtype} undoes a good part of what this adapter does; leave it "
            "unmerged, or merge into a float32 model."
        )


def _print_report(report: AdapterReport) -> None:
    kind = "".join(("rs" if report.rslora else "", "DoRA" if report.dora else "LoRA"))
    rows = {
        "kind": ", ".join((kind, *report.variants)),
        "rank, alpha": f"{report.rank}, {report.alpha:g}",
        "layers": ", ".join(f"{count} {name}" for name, count in report.targets),
        "dead": f"{report.dead} of {len(report.layers)} layers add nothing",
        "beside": ", ".join(report.others),
        "numbers": f"{', '.join(report.dtypes)}, {report.size / 1e6:.3g} MB",
        "names": "of transformers < 4.52, translated" if report.old_names else "",
        "made": report.history,
        "model": report.named_base or "not named",
        "fits": _describe_fit(report),
    }
    for name, value in rows.items():
        if value:
            typer.echo(f"{name:12} {value}")
    _print_layers(report)


def _describe_fit(report: AdapterReport) -> str:
    if report.fits is None:
        return "not checked: name the model with --base"
    if report.fits:
        return f"yes, {report.checked_base}"
    shown = "; ".join(report.misfits[:3])
    return f"no, {len(report.misfits)} layers do not fit {report.checked_base}: {shown}"


def _print_layers(report: AdapterReport) -> None:
    import sys

    from rich.console import Console
    from rich.table import Table

    table = Table()
    table.add_column("layer")
    for heading in ("rank", "scaling", "out x in", "norm"):
        table.add_column(heading, justify="right")
    for layer in report.layers:
        norm = "dead" if layer.dead else f"{layer.norm:.4g}"
        size = f"{layer.out_size} x {layer.in_size}"
        table.add_row(layer.name, str(layer.rank), f"{layer.scaling:g}", size, norm)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
