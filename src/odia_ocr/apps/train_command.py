"""`odia-ocr train`: ctc, detector, lm, status."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
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
    from odia_ocr.errors import OutputError, ResourceMissingError

    try:
        from odia_ocr.train.ctc import train_ctc
        from odia_ocr.train.ctc_config import TrainConfig, config_from
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

    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is not a folder.", next_step="Give -o a folder for the run.")
    settings = _read_settings(config, out if resume else None, asdict(TrainConfig()))
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
    parsed = config_from(settings)
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
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


@app.command("detector")
def detector(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the run.")],
    config: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it
        typer.Option(help="JSON with any of the settings of DetectorConfig."),
    ] = None,
    start: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--from", help="'shipped' or a .safetensors file to start from."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last saved state.")
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
    """Train the line detector on rendered pages.

    The run folder holds config.json, state.pt (to resume), best.safetensors, log.jsonl and, at
    the end, model.onnx.

    Example: odia-ocr train detector -o runs/lines --steps 1500
    """
    from odia_ocr.errors import OutputError, ResourceMissingError

    try:
        from odia_ocr.train.detector import DetectorConfig, detector_config_from, train_detector
        from odia_ocr.train.detector_export import export_detector
        from odia_ocr.train.shipped import find_shipped_weights
    except ImportError as error:
        raise ResourceMissingError(
            f"Training needs a library that is not installed: {error.name}.",
            next_step="Install it with: pip install 'odia-ocr[train]'.",
        ) from error
    from rich.console import Console
    from rich.progress import Progress

    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is not a folder.", next_step="Give -o a folder for the run.")
    settings = _read_settings(config, out if resume else None, asdict(DetectorConfig()))
    tiles = settings.setdefault("tiles", {})
    for key, path in (("text", text), ("fonts", fonts)):
        if path:
            tiles[key] = str(path)
    for key, value in (("steps", steps), ("device", device), ("workers", workers)):
        if value is not None:
            settings[key] = value
    begin = find_shipped_weights("detector") if start == "shipped" else Path(start or "")
    parsed = detector_config_from(settings)
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("Training", total=parsed.steps)
        best = train_detector(
            parsed,
            out,
            resume=resume,
            start_from=begin if start and not resume else None,
            report=lambda text: console.print(text, highlight=False, soft_wrap=True),
            on_step=lambda step, _: progress.update(task, completed=step),
        )
    if export:
        export_detector(best, out / "model.onnx", version=out.name)
        console.print(f"Read with: odia-ocr read PICTURE --detector {out / 'model.onnx'}")


@app.command("lm")
def lm(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the model's file.")],
    text: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it
        typer.Option(help="Folder with text/open/**, text/copyleft/** and words/*.txt."),
    ] = None,
    order: Annotated[int, typer.Option(help="Length of the longest n-grams.")] = 7,
    size: Annotated[float, typer.Option(help="Largest size of the file in MB.")] = 6.0,
    words: Annotated[bool, typer.Option(help="Learn from word lists as well.")] = True,
    fit: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Recognizer to fit the model's weights to: ctc or ctc:FILE."),
    ] = None,
    lines: Annotated[int, typer.Option(min=20, help="Rendered lines to fit on.")] = 400,
    only_fit: Annotated[
        bool, typer.Option("--only-fit", help="Keep the model that is in the folder; only fit.")
    ] = False,
) -> None:
    """Train the character language model, and fit how much it counts beside a recognizer.

    Only text that may be shipped is learned from; without --text it is the small shipped text. The
    folder gets lm-odia.ngram.

    Example: odia-ocr train lm -o runs/lm --text DATA --order 7 --size 6 --fit ctc
    """
    from rich.console import Console

    from odia_ocr.errors import ConfigError, OutputError
    from odia_ocr.train.lm import FILE_NAME, LmConfig, train_lm

    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is not a folder.", next_step="Give -o a folder for the model.")
    if only_fit and fit is None:
        raise ConfigError("--only-fit fits nothing.", next_step="Name a recognizer: --fit ctc.")
    console = Console(stderr=True)

    def report(said: str) -> None:
        console.print(said, highlight=False, soft_wrap=True, markup=False)

    path = out / FILE_NAME
    if not only_fit:
        path = train_lm(out, text, LmConfig(order, round(size * 1e6), words), report=report)
    if fit is not None:
        from odia_ocr.recognize import open_recognizer
        from odia_ocr.recognize.ctc import CtcRecognizer
        from odia_ocr.train.lm_fit import fit_file

        recognizer = open_recognizer(fit)
        if not isinstance(recognizer, CtcRecognizer):
            raise ConfigError(f"{fit} gives no emissions.", next_step="Use --fit ctc or ctc:FILE.")
        fit_file(path, recognizer, count=lines, report=report)


def _read_settings(
    config: Path | None, run: Path | None, defaults: dict[str, Any]
) -> dict[str, Any]:
    """The settings of a file, each of the kind that its default has; unknown keys stay."""
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
    wrong = list(_find_wrong(values, defaults))
    if wrong:
        raise ConfigError(
            f"{path}: {'; '.join(wrong)}.",
            next_step="Compare it with the config.json of a run.",
        )
    return values


def _find_wrong(values: dict[str, Any], defaults: dict[str, Any]) -> Iterator[str]:
    """Say which values are not of the kind of their default."""
    for key, value in values.items():
        if key not in defaults:
            continue
        default = defaults[key]
        if isinstance(default, dict) and isinstance(value, dict):
            yield from (f"{key}.{wrong}" for wrong in _find_wrong(value, default))
        elif not _fits(value, default):
            yield f"{key} must be {_name_kind(default)}, got {value!r}"


def _fits(value: object, default: object) -> bool:
    if isinstance(default, tuple):  # of so many numbers, or any number of names
        if not isinstance(value, list):
            return False
        kinds = default or ("",) * len(value)
        return len(value) == len(kinds) and all(map(_fits, value, kinds))
    if default is None:
        return value is None or isinstance(value, str)
    if isinstance(value, bool) or isinstance(default, bool):
        return isinstance(value, bool) and isinstance(default, bool)
    return isinstance(value, (int, float) if isinstance(default, float) else type(default))


def _name_kind(default: object) -> str:
    if isinstance(default, tuple):
        return f"a list of {len(default)} numbers" if default else "a list of names"
    kinds = {dict: "an object", bool: "true or false", int: "a whole number", float: "a number"}
    return kinds.get(type(default), "a string")


def _architecture_of(weights: Path) -> dict[str, Any]:
    from odia_ocr.train.checkpoint import read_facts

    architecture: dict[str, Any] = read_facts(weights)["architecture"]
    return architecture


@app.command("status")
def status(run: Annotated[Path, typer.Argument(help="Folder of a run.")]) -> None:
    """Show where a run stands: step, minutes, losses, held-out scores."""
    import json

    from rich.console import Console
    from rich.table import Table

    from odia_ocr.errors import FileMissingError

    log, config = run / "log.jsonl", run / "config.json"
    if not log.exists() or not config.exists():
        raise FileMissingError(f"No run in {run}.", next_step="Name the folder given to train -o.")
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line]
    total = json.loads(config.read_text(encoding="utf-8"))["steps"]
    table = Table(title=f"{run}: step {rows[-1]['step'] if rows else 0} of {total}")
    names = [name for name in (rows[-1] if rows else {}) if name != "rate"]
    for name in names:
        table.add_column(_column_title(name), justify="right")
    for row in rows[-12:]:
        table.add_row(*(_show(name, row.get(name)) for name in names))
    Console().print(table)


def _column_title(name: str) -> str:
    title = name.replace("cer_", "CER ").replace("_", " ")
    return f"{title} %" if _is_share(name) else title


def _is_share(name: str) -> bool:
    return name == "f1" or name.startswith("cer_") or name.endswith("_error")


def _show(name: str, value: float | None) -> str:
    if value is None:
        return ""
    if _is_share(name):
        return f"{100 * value:.2f}"
    if isinstance(value, int):
        return str(value)
    return f"{value:.1f}" if name == "minutes" else f"{value:.3f}"
