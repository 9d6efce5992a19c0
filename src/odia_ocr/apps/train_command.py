"""`odia-ocr train ctc` and `odia-ocr train status`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Optional

import typer

app = typer.Typer(help="Train recognizers.", no_args_is_help=True)


@app.command("ctc")
def ctc(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the run.")],
    config: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it
        typer.Option(help="JSON with any of the settings of TrainConfig."),
    ] = None,
    data: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option(help="Folder of NAME.png + NAME.gt.txt lines to mix in; repeatable."),
    ] = None,
    start: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--from", help="'shipped' or a .safetensors file to start from."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on exactly where it stopped.")
    ] = False,
    steps: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, help="Steps of the whole schedule."),
    ] = None,
    device: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="auto, cpu or cuda."),
    ] = None,
    workers: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, help="Rendering processes."),
    ] = None,
    text: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Folder with text/**/*.txt and words/*.txt to draw from."),
    ] = None,
    fonts: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Folder of fonts; held-out families in it are left out."),
    ] = None,
    export: Annotated[bool, typer.Option(help="Write model.onnx and model.md at the end.")] = True,
) -> None:
    """Train the CTC recognizer on rendered lines, and on labelled lines given with --data.

    The run folder holds config.json, state.pt (to resume), best.safetensors, log.jsonl,
    learning_curve.svg and, at the end, model.onnx: read with --engine ctc:RUN/model.onnx.

    Example: odia-ocr train ctc -o runs/mine --data my_lines --from shipped --steps 500
    """
    from odia_ocr.errors import ResourceMissingError

    try:
        from odia_ocr.train.ctc import train_ctc
        from odia_ocr.train.curve import draw_curve
        from odia_ocr.train.export import export_run
        from odia_ocr.train.shipped import find_shipped_weights
    except ImportError as error:
        raise ResourceMissingError(
            f"Training needs a library that is not installed: {error.name}.",
            next_step="Install it with: pip install 'odia-ocr[train]'.",
        ) from error
    from rich.console import Console
    from rich.progress import Progress

    settings = _read_settings(config, out if resume else None)
    stream = settings.setdefault("stream", {})
    if data:
        stream["folders"] = [str(folder) for folder in data]
    for key, path in (("text", text), ("fonts", fonts)):
        if path:
            stream[key] = str(path)
    for key, value in (("steps", steps), ("device", device), ("workers", workers)):
        if value is not None:
            settings[key] = value
    start_from = find_shipped_weights() if start == "shipped" else Path(start) if start else None
    if start_from and not resume:
        settings["architecture"] = _architecture_of(start_from)
        # It reads already: no easy lines to begin with, and small steps.
        settings.setdefault("rate", 5e-4)
        settings.setdefault("warmup", 50)
        stream.setdefault("easy_chunks", 0)
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        from odia_ocr.train.ctc import config_from

        parsed = config_from(settings)
        task = progress.add_task("Training", total=parsed.steps)
        best = train_ctc(
            parsed,
            out,
            resume=resume,
            start_from=start_from,
            report=lambda text: console.print(text, highlight=False, soft_wrap=True),
            on_step=lambda step, _: progress.update(task, completed=step),
        )
    draw_curve(out / "log.jsonl", out / "learning_curve.svg")
    if export:
        console.print("Exporting and fitting the confidence ...")
        export_run(best, out / "model.onnx", version=out.name)
        console.print(f"Read with: odia-ocr read PICTURE --engine ctc:{out / 'model.onnx'}")


def _read_settings(config: Path | None, run: Path | None) -> dict[str, Any]:
    import json

    from odia_ocr.errors import ConfigError

    path = config or (run / "config.json" if run else None)
    if path is None or (config is None and not path.exists()):
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"Cannot read {path}: {error}.", next_step="Give a JSON file.") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path} must hold a JSON object.")
    return values


def _architecture_of(weights: Path) -> dict[str, Any]:
    from odia_ocr.train.checkpoint import read_facts

    architecture: dict[str, Any] = read_facts(weights)["architecture"]
    return architecture


@app.command("status")
def status(run: Annotated[Path, typer.Argument(help="Folder of a run.")]) -> None:
    """Show where a run stands: step, minutes, loss, held-out error rates."""
    import json

    from rich.console import Console
    from rich.table import Table

    from odia_ocr.errors import FileMissingError

    log = run / "log.jsonl"
    if not log.exists():
        raise FileMissingError(f"No run in {run}.", next_step="Name the folder given to train -o.")
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line]
    total = json.loads((run / "config.json").read_text(encoding="utf-8"))["steps"]
    table = Table(title=f"{run}: step {rows[-1]['step'] if rows else 0} of {total}")
    for column in ("step", "lines", "minutes", "loss", "CER degraded %", "CER clean %"):
        table.add_column(column, justify="right")
    for row in rows[-12:]:
        table.add_row(
            str(row["step"]),
            str(row["lines"]),
            f"{row['minutes']:.1f}",
            f"{row['loss']:.3f}",
            f"{100 * row['cer_degraded']:.2f}",
            f"{100 * row['cer_clean']:.2f}",
        )
    Console().print(table)
