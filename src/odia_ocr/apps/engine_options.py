"""Options of commands that open an engine: adapters of a vision-language model, where it runs."""

from __future__ import annotations

from typing import Annotated

import typer

Adapters = Annotated[
    list[str] | None,
    typer.Option(
        "--adapter",
        metavar="DIR|HUB_ID",
        help="LoRA adapter of a vlm engine; several read as one.",
        show_default=False,
    ),
]
Device = Annotated[
    str | None, typer.Option(metavar="auto|cpu|cuda", help="Where a vlm engine runs.")
]
Dtype = Annotated[
    str | None,
    typer.Option(metavar="auto|float32|bfloat16|float16", help="Weights of a vlm engine."),
]
LoadIn = Annotated[
    str | None,
    typer.Option("--load-in", metavar="4bit|8bit", help="Quantise a vlm engine while loading."),
]
