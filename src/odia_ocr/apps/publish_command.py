"""`odia-ocr publish`: a model goes to the model hub with a card that says how well it reads.

The list of files and the card go to standard output, what happens to standard error.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from odia_ocr.apps.messages import say
from odia_ocr.errors import ResourceMissingError

if TYPE_CHECKING:
    from odia_ocr.apps.publish.hub import Upload
    from odia_ocr.apps.publish.model_folder import ModelFolder


def publish(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="Adapter, model or ONNX engine.", show_default=False),
    ],
    repo: Annotated[
        str,
        typer.Option(metavar="NAME", help="OWNER/NAME, or NAME of yours.", show_default=False),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the files and the card; upload nothing.")
    ] = False,
    space: Annotated[
        bool, typer.Option("--space", help="Also make a page on which people can try it.")
    ] = False,
    space_folder: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where the page's files are written. [default: FOLDER-space]",
            show_default=False,
        ),
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Of a campaign or evaluation. [default: FOLDER/evaluation_results.json]",
            show_default=False,
        ),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What the results call this model. [default: their first engine]",
            show_default=False,
        ),
    ] = None,
    licence: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="As the hub names it. [default: apache-2.0 for ONNX and tiny, else the base's]",
            show_default=False,
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="OWNER/NAME",
            help="Of an adapter: its base model on the hub, or tiny. [default: as it says itself]",
            show_default=False,
        ),
    ] = None,
    dataset: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="On the hub, of what it was trained on.", show_default=False
        ),
    ] = None,
    notes: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Markdown on training and data. [default: FOLDER/model.md if there]",
            show_default=False,
        ),
    ] = None,
    private: Annotated[
        bool, typer.Option("--private", help="For your eyes, and those you invite.")
    ] = False,
) -> None:
    """Upload a model to the Hugging Face hub, with a model card made from measured results.

    Only what belongs to the model goes up: weights, configuration, tokenizer, results without
    texts, and the card. Training states and logs stay. Files with secrets or with paths of this
    machine are refused; paths in results are cut to the name at their end.

    \b
    Examples:
      odia-ocr publish runs/mine --repo me/odia-ctc --dry-run
      odia-ocr publish runs/lora/checkpoint-250 --repo me/odia-lora --licence other
      odia-ocr publish runs/mine --repo odia-ctc --space

    \b
    Exit status: 0 published, or shown; 1 the folder or the hub refuses; 2 wrong use;
    3 no token, no weights or no library.
    """
    try:
        import huggingface_hub
    except ImportError as error:
        raise ResourceMissingError(
            f"Publishing needs a library that is not installed: {error.name}.",
            next_step="Install it with: pip install 'odia-ocr[publish]'.",
        ) from error

    from odia_ocr.apps.publish.hub import complete_name, upload
    from odia_ocr.apps.publish.model_folder import read_model_folder
    from odia_ocr.apps.publish.plan import Wishes, plan_model, plan_space
    from odia_ocr.apps.publish.space import write_space

    model = read_model_folder(folder, base=base)
    api = huggingface_hub.HfApi()
    if dry_run and "/" not in repo:
        repo = f"OWNER/{repo}"  # whose it is only the token tells
    wishes = Wishes(
        repo=complete_name(repo, api),
        results=results,
        engine=engine,
        licence=licence,
        datasets=tuple(dataset or ()),
        notes=notes,
        private=private,
    )
    orders = [plan_model(model, wishes)]
    if space:
        orders.append(plan_space(model, wishes))
        place = space_folder or folder.resolve().with_name(f"{folder.resolve().name}-space")
        write_space(orders[-1].files, place)
        say(f"the page is in {place}; to try it: cd {place} && python app.py")
    if dry_run:
        _show(model, orders)
        return
    for order in orders:
        say(f"published: {upload(order, api)}")


def _show(model: ModelFolder, orders: Sequence[Upload]) -> None:
    """What would go up, what stays, and the card."""
    for order in orders:
        total = sum(file.size for file in order.files)
        print(f"{order.kind} {order.repo}, {len(order.files)} files, {_tell_size(total)}:")
        for file in order.files:
            print(f"  {file.name}  {_tell_size(file.size)}")
    if model.left_out:
        print(f"left out: {', '.join(model.left_out)}")
    print(f"\n{orders[0].files[0].read().decode()}")  # the card comes first


def _tell_size(size: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
