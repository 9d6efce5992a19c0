"""How each server is started with an exported adapter: commands and what to know. Text only.

Read in the servers' documentation and source; they are not run here.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from odia_ocr.recognize.vlm.settings import PATCH, VlmSettings

Server = Literal["vllm", "llama.cpp", "transformers"]
FILE_NAME = "SERVING.md"
MODEL_NAME = "odia"
# The ranks that vLLM can make room for.
VLLM_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)


@dataclass(frozen=True, slots=True)
class Serving:
    """How to start a server.

    Attributes:
        server: Its name.
        commands: To type, in this order.
        notes: What to know, a paragraph each.
    """

    server: str
    commands: tuple[str, ...]
    notes: tuple[str, ...]

    def write(self, folder: Path) -> None:
        """Write SERVING.md into a folder."""
        commands = "\n".join(self.commands)
        notes = "\n".join(f"- {note}" for note in self.notes)
        text = f"# Serving with {self.server}\n\n```sh\n{commands}\n```\n\n{notes}\n"
        (folder / FILE_NAME).write_text(text, encoding="utf-8")


def serve_adapter_by_vllm(
    base: str, adapter: Path, settings: VlmSettings, *, rank: int, sight: bool
) -> Serving:
    """vLLM with an adapter beside its model.

    Args:
        base: Folder or hub id of the model.
        adapter: Folder of the adapter.
        settings: It was trained with.
        rank: Of the adapter.
        sight: It changes the vision tower, too.
    """
    room = next(known for known in VLLM_RANKS if known >= rank)
    words = ["--enable-lora", "--max-lora-rank", str(room), "--lora-modules"]
    words += [f"{MODEL_NAME}={adapter}", *(["--enable-tower-connector-lora"] if sight else [])]
    notes = [
        f"The adapter has rank {rank}; vLLM makes room for rank 16 unless `--max-lora-rank` says "
        "more.",
        "If all answers equal those of the model alone, the names of the layers did not match: "
        "vLLM then goes on without the adapter. Update vLLM, or export a merged model: "
        "`odia-ocr adapters merge`.",
    ]
    if sight:
        notes.append(
            "It changes the vision tower: a vLLM that does not know "
            "`--enable-tower-connector-lora` leaves that part out. Update it, or merge."
        )
    return _serve_by_vllm(base, words, settings, [*notes, _ask(8000, MODEL_NAME)])


def serve_model_by_vllm(model: Path, settings: VlmSettings) -> Serving:
    """vLLM with a merged model."""
    words = ["--served-model-name", MODEL_NAME]
    return _serve_by_vllm(str(model), words, settings, [_ask(8000, MODEL_NAME)])


def _serve_by_vllm(
    model: str, words: Sequence[str], settings: VlmSettings, notes: Sequence[str]
) -> Serving:
    limits = {"min_pixels": settings.min_pixels, "max_pixels": settings.max_pixels}
    command = ["vllm", "serve", model, *words]
    command += ["--limit-mm-per-prompt", json.dumps({"image": 1})]
    command += ["--mm-processor-kwargs", json.dumps(limits)]
    command += ["--max-model-len", str(settings.max_tokens), "--generation-config", "vllm"]
    default = (
        "`--generation-config vllm` keeps the model's own defaults out, a repetition penalty of "
        "1.05 among them, which spoils text that repeats itself."
    )
    return Serving("vLLM", (shlex.join(command),), (default, *notes))


def serve_by_llama_cpp(model: Path, settings: VlmSettings) -> Serving:
    """llama.cpp with a merged model, which it converts first."""
    text, sight = model / "model.gguf", model / "mmproj.gguf"
    convert = ["python", "convert_hf_to_gguf.py", str(model), "--outtype", "f16", "--outfile"]
    least, most = (pixels // PATCH**2 for pixels in (settings.min_pixels, settings.max_pixels))
    start = ["llama-server", "-m", str(text), "--mmproj", str(sight), "--alias", MODEL_NAME]
    start += ["-c", str(settings.max_tokens), "--temp", "0", "--repeat-penalty", "1.0"]
    start += ["--image-min-tokens", str(max(1, least)), "--image-max-tokens", str(most)]
    commands = ([*convert, str(text)], [*convert, str(sight), "--mmproj"], start)
    return Serving(
        "llama.cpp",
        tuple(map(shlex.join, commands)),
        (
            "Run the first two in a checkout of llama.cpp: one writes the language model, one the "
            "vision tower.",
            "The adapter is merged because llama.cpp adds adapters to the language model only.",
            "`llama-quantize model.gguf model-q8.gguf Q8_0` halves the language model; measure "
            "what that costs. Leave the vision tower as it is.",
            _ask(8080, MODEL_NAME),
        ),
    )


def serve_by_transformers(model: Path) -> Serving:
    """`transformers serve` with a merged model."""
    return Serving(
        "transformers",
        (
            "pip install 'transformers[serving]'",
            shlex.join(["transformers", "serve", str(model), "--port", "8000"]),
        ),
        (
            "The adapter is merged because `transformers serve` takes none.",
            "It answers one request at a time: good to try things out. vLLM is for many.",
            _ask(8000, str(model)),
        ),
    )


def _ask(port: int, model: str) -> str:
    engine = shlex.quote(f"remote:http://127.0.0.1:{port}#{model}")
    return (
        f"It speaks the protocol of OpenAI, the model is called `{model}`. Read with it: "
        f"`odia-ocr read PICTURE --engine {engine}`"
    )
