"""`odia-ocr train lora`: settings, progress, errors in words."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from odia_ocr.apps.out_folder import refuse_file
from odia_ocr.apps.train_settings import put_given, read_settings

if TYPE_CHECKING:
    from rich.console import Console

    from odia_ocr.train.lora.run import StepNews


def lora(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the run.")],
    config: Annotated[
        Path | None, typer.Option(help="JSON as the config.json of a run; options win over it.")
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="tiny|FOLDER|HUB_ID", help="Qwen2.5-VL or Qwen2-VL to adapt. [default: tiny]"
        ),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SET",
            help="Labelled pictures: a folder, Parquet, ALTO, PAGE, Label Studio or a hub id; "
            "repeatable. Without it lines are rendered.",
        ),
    ] = None,
    check: Annotated[
        list[str] | None,
        typer.Option(metavar="SET", help="Held-out pictures to measure on; repeatable."),
    ] = None,
    columns: Annotated[
        str | None, typer.Option(metavar="image=A,text=B", help="Columns of tables.")
    ] = None,
    stream: Annotated[
        bool | None, typer.Option("--stream", help="Take samples as they come, hold none.")
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option(
            metavar="line|page", help="line scales pictures to one height. [default: line]"
        ),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="ADAPTER", help="Adapter to start from, with a fresh optimizer."
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on exactly from the last checkpoint.")
    ] = False,
    rank: Annotated[
        int | None, typer.Option(min=1, help="Rank of the adapter. [default: 32]")
    ] = None,
    alpha: Annotated[
        float | None, typer.Option(help="Scale of the adapter. [default: twice the rank]")
    ] = None,
    targets: Annotated[
        str | None,
        typer.Option(
            metavar="language|all|REGEX",
            help="Layers that are adapted; all takes the vision tower too. [default: language]",
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Optimizer steps. [default: 500]")
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=1, help="Samples of a forward pass. [default: 8]")
    ] = None,
    accumulate: Annotated[
        int | None, typer.Option(min=1, help="Forward passes of a step. [default: 1]")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Largest learning rate. [default: 0.0002]")
    ] = None,
    misfit: Annotated[
        str | None,
        typer.Option(
            metavar="reject|shrink|skip",
            help="What is done with samples that do not fit. [default: reject]",
        ),
    ] = None,
    max_pixels: Annotated[
        int | None, typer.Option(min=784, help="Scale larger pictures down to this area.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.")] = None,
    dtype: Annotated[
        str | None,
        typer.Option(metavar="auto|float32|bfloat16", help="Weights of the base."),
    ] = None,
) -> None:
    """Train a LoRA adapter for Qwen2.5-VL on labelled pictures, or on rendered lines.

    Before the first step every sample is looked at (of a stream the first ones, the others as
    they come): one that would not fit is named, with its tokens and the cause; nothing is ever cut
    off. Every 50 steps a checkpoint is written and the
    held-out pictures are read. The folder holds config.json (all settings), log.jsonl, best.json,
    learning_curve.svg, checkpoint-N folders and TensorBoard logs. Settings without an option here
    (schedule, warmup, patience, curriculum, augment, checkpointing, rslora, dora ...) are given
    with --config; config.json of any run shows them all.

    \b
    Examples:
      odia-ocr train lora -o runs/tiny --steps 200
      odia-ocr train lora -o runs/mine --base Qwen/Qwen2.5-VL-3B-Instruct --data my_lines
      odia-ocr train lora -o runs/mine --resume
      odia-ocr train lora -o runs/more --from old/checkpoint-250 --data my_lines --rate 1e-4
      odia-ocr read page.png --engine vlm:BASE --adapter runs/mine/checkpoint-250

    Several GPUs: accelerate launch -m odia_ocr train lora ... Read docs/vlm.md.
    """
    from odia_ocr.errors import name_extra

    try:
        from odia_ocr.train.lora.config import LoraConfig, lora_config_from
        from odia_ocr.train.lora.run import train_lora
    except ImportError as error:
        raise name_extra(error, "train,vlm,data", doing="Training adapters") from error

    refuse_file(out)
    settings = read_settings(config, out if resume else None, asdict(LoraConfig()))
    given = {
        "base": base,
        "data": data,
        "check": check,
        "columns": columns,
        "stream": stream,
        "unit": unit,
        "steps": steps,
        "batch": batch,
        "accumulate": accumulate,
        "rate": rate,
        "misfit": misfit,
        "max_pixels": max_pixels,
        "device": device,
        "dtype": dtype,
    }
    put_given(settings, given)
    put_given(
        settings.setdefault("adapter", {}), {"rank": rank, "alpha": alpha, "targets": targets}
    )
    if rank is not None and alpha is None:
        settings["adapter"]["alpha"] = 2.0 * rank
    from rich.console import Console

    console = Console(stderr=True)
    with _show_progress(console) as (on_step, tick):
        best = train_lora(
            lora_config_from(settings),
            out,
            resume=resume,
            start_from=start,
            report=lambda said: console.print(said, highlight=False, soft_wrap=True, markup=False),
            on_step=on_step,
            tick=tick,
        )
    if _is_first_process():
        named = settings.get("base", "tiny")
        console.print(
            f"Read with: odia-ocr read PICTURE --engine vlm:{named} --adapter {best}",
            soft_wrap=True,
        )


def _is_first_process() -> bool:
    """One of several processes of `accelerate launch` speaks for all."""
    return os.environ.get("RANK", "0") == "0"


@contextlib.contextmanager
def _show_progress(
    console: Console,
) -> Iterator[tuple[Callable[[StepNews], None], Callable[[int, int], None]]]:
    """Bars for the preflight and for the steps, with loss, speed and the last error rate."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Remaining(),
        TextColumn("{task.fields[told]}"),
    )
    hidden = not console.is_terminal or not _is_first_process()
    with Progress(*columns, console=console, disable=hidden) as bars:
        looking = bars.add_task("preflight", total=None, visible=False, told="")
        task = bars.add_task("training", total=None, told="")
        last = {"cer": ""}

        def on_step(news: StepNews) -> None:
            if news.cer is not None:
                last["cer"] = f"CER {100 * news.cer:.2f} %"
            told = f"loss {news.loss:.3f}, {news.samples_per_second:.1f} samples/s {last['cer']}"
            bars.update(task, total=news.steps, completed=news.step, told=told)

        def tick(done: int, total: int) -> None:
            bars.update(looking, total=total, completed=done, visible=done < total)

        yield on_step, tick
