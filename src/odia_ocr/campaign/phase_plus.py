"""What the plan named beside its phases: longer training, and what makes reading cheaper."""

from __future__ import annotations

from dataclasses import replace

from odia_ocr.campaign.sample import example
from odia_ocr.campaign.stack import Stack
from odia_ocr.campaign.techniques import Claim, Means, Settings, Technique, from_fused
from odia_ocr.runtime import count_threads


def _start_floating(means: Means) -> Stack:
    return Stack((means.floating,))


def _quantise(stack: Stack, _: Settings, means: Means) -> Stack:
    return replace(stack, engines=(means.single, *stack.engines[1:]))


def _need_floating(means: Means) -> str:
    if means.floating:
        return ""
    return "It needs the model before it was quantised: name it as floating."


def _halve(stack: Stack, _: Settings, means: Means) -> Stack:
    return replace(stack, engines=(means.halved, *stack.engines[1:]))


def _need_halved(means: Means) -> str:
    if means.floating and not means.halved:
        return "It needs the model with 16-bit weights: name it as halved."
    return _need_floating(means)


def _thread(stack: Stack, settings: Settings, _: Means) -> Stack:
    return replace(stack, threads=settings["threads"])


def _need_cores(_: Means) -> str:
    return "" if count_threads(None) > 1 else "This process may use one core only."


def _find_again(stack: Stack, _: Settings, __: Means) -> Stack:
    return replace(stack, cached=True)


FULL_TRAINING = Technique(
    key="+/training",
    id="+",
    phase="+",
    name="Full training past step 250",
    effort="days",
    claim=Claim(42, 15, 15),
    what="Training goes on until the held-out error rate stands still, on whole lines, instead of "
    "stopping at step 250.",
    when="Always, before anything else here is tried: no technique makes up for a model that was "
    "not trained.",
    example="# On the command line:\n# odia-ocr train ctc -o runs/mine --steps 7600",
    joins=False,
    why="It trains a model, which takes hours; LOG.md has the runs of the shipped one.",
)

QUANTISATION = Technique(
    key="+/int8",
    id="+",
    phase="+",
    name="Quantisation to int8",
    effort="minutes at export",
    claim=None,
    what="Weights and activations of the recognizer are 8-bit integers: a quarter of the size and "
    "less time a line.",
    when="On processors, always, when the error rate stands. Int8 CTC models lose 0.1-0.2 points.",
    example=example(
        "from odia_ocr.recognize.ctc import load_fast",
        "from odia_ocr.runtime import read_metadata",
        "recognizer = load_fast()  # load_fast('model.float32.onnx') is the other one",
        "print(read_metadata(recognizer.session).get('precision'))",
    ),
    change=_quantise,
    frames=True,
    start=_start_floating,
    need=_need_floating,
    joins=False,
)

HALF_PRECISION = Technique(
    key="+/fp16",
    id="+",
    phase="+",
    name="Weights as 16-bit floats",
    effort="minutes at export",
    claim=None,
    what="Weights of the recognizer are kept as 16-bit floats and widened when the model is "
    "opened: half the size. It computes with 32 bits as before, because onnxruntime has no 16-bit "
    "kernels for recurrent layers on processors.",
    when="When a float model must be sent or stored. It makes nothing faster; int8 does.",
    example=example(
        "from odia_ocr.recognize.ctc import load_fast",
        "from odia_ocr.runtime import read_metadata",
        "# odia_ocr.train.quantise.halve_model(float_model, 'model.float16.onnx') makes the other",
        "recognizer = load_fast()  # load_fast('model.float16.onnx') reads as the float model does",
        "print(read_metadata(recognizer.session).get('precision'))",
    ),
    change=_halve,
    frames=True,
    start=_start_floating,
    need=_need_halved,
    joins=False,
)

THREADS = Technique(
    key="+/threads",
    id="+",
    phase="+",
    name="Lines on several threads",
    effort="an option",
    claim=None,
    what="Lines go through the int8 model side by side, one on each thread.",
    when="When cores are idle. Readings are the same to the letter.",
    example=example(
        "from odia_ocr.recognize.ctc import load_fast",
        "recognizer = load_fast(threads=2)",
        "print(recognizer.read(lines)[0].best.text)",
    ),
    change=_thread,
    grid={"threads": (2,)},
    need=_need_cores,
    idle=True,
    joins=False,
)

CACHE = Technique(
    key="+/cache",
    id="+",
    phase="+",
    name="Readings kept by content",
    effort="hours",
    claim=None,
    what="A line whose picture was read before, by the same weights and settings, is found by the "
    "hash of its content instead of being read again.",
    when="When the same pages come again: campaigns, restarts, services. It pays most beside slow "
    "stacks.",
    example=example(
        "from odia_ocr.recognize.ctc import load_fast",
        "recognizer, known = load_fast(), {}",
        "for line in [*lines, *lines]:",
        "    content = line.pixels.tobytes()",
        "    known[content] = known.get(content) or recognizer.read([line])[0]",
        "print(len(known), 'lines were read')",
    ),
    change=_find_again,
    start=from_fused,
    joins=False,
)

TECHNIQUES = (FULL_TRAINING, QUANTISATION, HALF_PRECISION, THREADS, CACHE)
