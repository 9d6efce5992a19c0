"""`odia-ocr train`: ctc, detector, lm, lexicon, status."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from odia_ocr.apps.out_folder import refuse_file
from odia_ocr.apps.train_lora_command import lora
from odia_ocr.apps.train_settings import put_given, read_settings

if TYPE_CHECKING:
    from rich.console import Console

    from odia_ocr.errors import ResourceMissingError
    from odia_ocr.recognize.ctc import CtcRecognizer
    from odia_ocr.train.run_config import RunConfig

app = typer.Typer(help="Train recognizers.", no_args_is_help=True)

# The options of every run.
Out = Annotated[Path, typer.Option("-o", "--out", help="Folder of the run.")]
ConfigFile = Annotated[
    Path | None, typer.Option(help="JSON with any of the settings in the config.json of a run.")
]
Start = Annotated[str | None, typer.Option("--from", help="'shipped', or weights to start from.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the last saved state.")]
Steps = Annotated[int | None, typer.Option(min=1, help="Steps of the whole schedule.")]
Device = Annotated[str | None, typer.Option(help="auto, cpu or cuda.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Rendering processes.")]
Text = Annotated[
    Path | None, typer.Option(help="Folder with text/**/*.txt and words/*.txt to draw from.")
]
Fonts = Annotated[
    Path | None, typer.Option(help="Folder of fonts; held-out families in it are left out.")
]
ShippableText = Annotated[
    Path | None, typer.Option(help="Folder with text/open/**, text/copyleft/** and words/*.txt.")
]
Fit = Annotated[str | None, typer.Option(help="Recognizer to fit to: ctc or ctc:FILE.")]
OnlyFit = Annotated[
    bool, typer.Option("--only-fit", help="Keep the file that is in the folder; only fit.")
]
Export = Annotated[bool, typer.Option(help="Write model.onnx and model.md at the end.")]


@app.command("ctc")
def ctc(
    out: Out,
    config: ConfigFile = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Labelled lines to mix in, any format of `odia-ocr data`; repeatable."),
    ] = None,
    start: Start = None,
    resume: Resume = False,
    steps: Steps = None,
    device: Device = None,
    workers: Workers = None,
    text: Text = None,
    fonts: Fonts = None,
    export: Export = True,
    adapt: Annotated[
        bool | None,
        typer.Option(
            "--adapt/--no-adapt",
            help="Adapt in minutes: labelled lines varied, rendered ones drawn once and replayed. "
            "Done without being asked with --from and --data, unless --text, --fonts, --workers, "
            "--config or --no-export is given.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Train the CTC recognizer on rendered lines, or adapt it to labelled lines given with --data.

    The run folder holds config.json, state.pt (to resume), best.safetensors, log.jsonl,
    learning_curve.svg and, at the end, model.onnx: read with --engine ctc:RUN/model.onnx. An
    adaptation holds a share of the labelled lines out, keeps what reads them best, and writes
    report.md: error rates before and after, on them and on general lines.

    Example: odia-ocr train ctc -o runs/mine --from shipped --data my_lines
    """
    from odia_ocr.apps.train_adapt import adapt_in_command

    asked = any((config, resume, workers, text, fonts, not export))
    if adapt or (adapt is None and start and data and not asked):
        given = {"steps": steps, "device": device}
        adapt_in_command(out, data, start, config, given, resume=resume, console=_open_console())
        return
    try:
        from odia_ocr.train.ctc import train_ctc
        from odia_ocr.train.ctc_config import TrainConfig, config_from
        from odia_ocr.train.curve import draw_curve
        from odia_ocr.train.export import export_run
        from odia_ocr.train.shipped import find_shipped_weights
    except ImportError as error:
        raise _name_library(error) from error

    refuse_file(out)
    settings = read_settings(config, out if resume else None, asdict(TrainConfig()))
    put_given(settings, {"steps": steps, "device": device, "workers": workers})
    stream = settings.setdefault("stream", {})
    folders = [str(folder) for folder in data] if data else None
    put_given(stream, {"text": text, "fonts": fonts, "folders": folders})
    start_from = find_shipped_weights() if start == "shipped" else Path(start) if start else None
    if start_from and not resume:
        settings["architecture"] = _architecture_of(start_from)
        # It reads already: no easy lines to begin with, and small steps.
        settings.setdefault("rate", 5e-4)
        settings.setdefault("warmup", 50)
        stream.setdefault("easy_chunks", 0)
    console = _open_console()
    best = _run(train_ctc, config_from(settings), out, resume, start_from, console)
    draw_curve(out / "log.jsonl", out / "learning_curve.svg")
    if export:
        console.print("Exporting and fitting the confidence ...")
        export_run(best, out / "model.onnx", version=out.name)
        console.print(f"Read with: odia-ocr read PICTURE --engine ctc:{out / 'model.onnx'}")


@app.command("detector")
def detector(
    out: Out,
    config: ConfigFile = None,
    start: Start = None,
    resume: Resume = False,
    steps: Steps = None,
    device: Device = None,
    workers: Workers = None,
    text: Text = None,
    fonts: Fonts = None,
    export: Export = True,
) -> None:
    """Train the line detector on rendered pages.

    The run folder holds config.json, state.pt (to resume), best.safetensors, log.jsonl and, at
    the end, model.onnx.

    Example: odia-ocr train detector -o runs/lines --steps 1500
    """
    try:
        from odia_ocr.train.detector import DetectorConfig, detector_config_from, train_detector
        from odia_ocr.train.detector_export import export_detector
        from odia_ocr.train.shipped import find_shipped_weights
    except ImportError as error:
        raise _name_library(error) from error

    refuse_file(out)
    settings = read_settings(config, out if resume else None, asdict(DetectorConfig()))
    put_given(settings, {"steps": steps, "device": device, "workers": workers})
    put_given(settings.setdefault("tiles", {}), {"text": text, "fonts": fonts})
    begin = find_shipped_weights("detector") if start == "shipped" else Path(start or "")
    start_from = begin if start and not resume else None
    console = _open_console()
    best = _run(train_detector, detector_config_from(settings), out, resume, start_from, console)
    if export:
        export_detector(best, out / "model.onnx", version=out.name)
        console.print(f"Read with: odia-ocr read PICTURE --detector {out / 'model.onnx'}")


@app.command("vlm")
def vlm(
    out: Out,
    config: ConfigFile = None,
    start: Start = None,
    resume: Resume = False,
    steps: Steps = None,
    device: Device = None,
    workers: Workers = None,
    text: Text = None,
    fonts: Fonts = None,
) -> None:
    """Train a small Qwen2.5-VL to read rendered lines from nothing.

    It has the architecture and the code path of the large ones, and is what they are tried out on.
    The run folder holds config.json, state.pt (to resume), log.jsonl and best/, the model: read
    with --engine vlm:RUN/best, adapt with train lora --base RUN/best.

    Example: odia-ocr train vlm -o runs/tiny --steps 3000
    """
    try:
        from odia_ocr.recognize.vlm.naming import TINY, find_base
        from odia_ocr.train.vlm_base import VlmBaseConfig, train_vlm_base, vlm_base_config_from
    except ImportError as error:
        raise _name_library(error) from error

    refuse_file(out)
    settings = read_settings(config, out if resume else None, asdict(VlmBaseConfig()))
    put_given(settings, {"steps": steps, "device": device, "workers": workers})
    put_given(settings.setdefault("stream", {}), {"text": text, "fonts": fonts})
    start_from = find_base(TINY) if start == "shipped" else Path(start) if start else None
    console = _open_console()
    best = _run(train_vlm_base, vlm_base_config_from(settings), out, resume, start_from, console)
    console.print(f"Read with: odia-ocr read PICTURE --engine vlm:{best}")


def _name_library(error: ImportError) -> ResourceMissingError:
    from odia_ocr.errors import name_extra

    return name_extra(error, "train,vlm", doing="Training")


def _open_console() -> Console:
    from rich.console import Console

    return Console(stderr=True)


def _run(
    train: Callable[..., Path],
    config: RunConfig,
    out: Path,
    resume: bool,
    start_from: Path | None,
    console: Console,
) -> Path:
    """Train with a progress bar; returns the path of the best weights."""
    from rich.progress import Progress

    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("Training", total=config.steps)
        return train(
            config,
            out,
            resume=resume,
            start_from=start_from,
            report=lambda text: console.print(text, highlight=False, soft_wrap=True),
            on_step=lambda step, _: progress.update(task, completed=step),
        )


def _architecture_of(weights: Path) -> dict[str, Any]:
    from odia_ocr.train.checkpoint import read_facts

    architecture: dict[str, Any] = read_facts(weights)["architecture"]
    return architecture


app.command("lora")(lora)


@app.command("lm")
def lm(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the model's file.")],
    text: ShippableText = None,
    order: Annotated[int, typer.Option(help="Length of the longest n-grams.")] = 7,
    size: Annotated[float, typer.Option(help="Largest size of the file in MB.")] = 6.0,
    words: Annotated[bool, typer.Option(help="Learn from word lists as well.")] = True,
    fit: Fit = None,
    lines: Annotated[int, typer.Option(min=20, help="Rendered lines to fit on.")] = 400,
    only_fit: OnlyFit = False,
) -> None:
    """Train the character language model, and fit how much it counts beside a recognizer.

    Only text that may be shipped is learned from; without --text it is the small shipped text. The
    folder gets lm-odia.ngram.

    Example: odia-ocr train lm -o runs/lm --text DATA --order 7 --size 6 --fit ctc
    """
    from odia_ocr.train.lm import FILE_NAME, LmConfig, train_lm

    refuse_file(out, "model")
    recognizer = _open_to_fit(fit, only_fit)
    report = _report_to(_open_console())
    path = out / FILE_NAME
    if not only_fit:
        path = train_lm(out, text, LmConfig(order, round(size * 1e6), words), report=report)
    if recognizer is not None:
        from odia_ocr.train.lm_fit import fit_file

        fit_file(path, recognizer, count=lines, report=report)


@app.command("lexicon")
def lexicon(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the lexicon's file.")],
    text: ShippableText = None,
    fit: Fit = None,
    lines: Annotated[int, typer.Option(min=200, help="Rendered lines to fit on.")] = 1600,
    only_fit: OnlyFit = False,
) -> None:
    """Make the lexicon of the correction dictionary, and fit the dictionary to a recognizer.

    Only text that may be shipped is counted; without --text it is the small shipped text. The fit
    learns the recognizer's confusions, what each sign for an edit weighs, and above which
    probability 92 of 100 edits were right. The folder gets lexicon-odia.trie.

    Example: odia-ocr train lexicon -o runs/lexicon --text DATA --fit ctc
    """
    from odia_ocr.train.lexicon import FILE_NAME, train_lexicon

    refuse_file(out, "lexicon")
    recognizer = _open_to_fit(fit, only_fit)
    if recognizer is not None:
        from odia_ocr.train.correction_lines import list_decoders

        list_decoders(recognizer)  # refuses one without a beam before anything is written
    report = _report_to(_open_console())
    path = out / FILE_NAME
    if not only_fit:
        path = train_lexicon(out, text, report=report)
    if recognizer is not None:
        from odia_ocr.train.correction import fit_lexicon

        fit_lexicon(path, recognizer, count=lines, report=report)


def _open_to_fit(fit: str | None, only_fit: bool) -> CtcRecognizer | None:
    """The recognizer that something is fitted to, if any."""
    from odia_ocr.errors import ConfigError
    from odia_ocr.recognize import open_recognizer
    from odia_ocr.recognize.ctc import CtcRecognizer

    if fit is None:
        if only_fit:
            raise ConfigError("--only-fit fits nothing.", next_step="Name a recognizer: --fit ctc.")
        return None
    recognizer = open_recognizer(fit)
    if not isinstance(recognizer, CtcRecognizer):
        raise ConfigError(f"{fit} gives no emissions.", next_step="Use --fit ctc or ctc:FILE.")
    return recognizer


def _report_to(console: Console) -> Callable[[str], None]:
    def report(said: str) -> None:
        console.print(said, highlight=False, soft_wrap=True, markup=False)

    return report


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
