"""Phase 2C: adapters, scales and augmentation."""

from __future__ import annotations

from dataclasses import replace

from odia_ocr.campaign.sample import example
from odia_ocr.campaign.stack import Stack
from odia_ocr.campaign.techniques import Claim, Means, Settings, Technique

_SCALES = Claim(42, 36, 39)
_ELSEWHERE = "It trains a model, which takes hours: it is no step of reading and is measured apart."


def _split_versions(settings: Settings) -> tuple[str, ...]:
    return ("as-is", *str(settings["versions"]).split("+"))


def _average_versions(stack: Stack, settings: Settings, _: Means) -> Stack:
    average = stack.average or settings["average"]
    return replace(stack, versions=_split_versions(settings), average=average)


def _vote_versions(stack: Stack, settings: Settings, _: Means) -> Stack:
    return replace(stack, versions=_split_versions(settings), average="", combine=settings["by"])


def _join_versions(stack: Stack, settings: Settings, _: Means) -> Stack:
    joined = replace(stack, average="", combine="joint", decode="beam", nbest=settings["nbest"])
    return replace(joined, versions=_split_versions(settings))


LORA_GROWTH = Technique(
    key="2C-1",
    id="2C-1",
    phase="2C",
    name="LoRA rank 32 to 64, more targets",
    effort="days on a GPU",
    claim=Claim(42, 38, 40),
    what="The low-rank adapter of a vision-language model gets more room and more layers, without "
    "changing what it computes, and is trained on.",
    when="No clean gain is known of it; data matters far more.",
    example="# On the command line:\n"
    "# odia-ocr adapters grow RUN/checkpoint-250 -o grown --rank 64\n"
    "# odia-ocr train lora -o runs/more --from grown --data my_lines",
    joins=False,
    why=f"{_ELSEWHERE} docs/vlm.md has what growing was worth on a small model.",
)

ADAPTER_MERGE = Technique(
    key="2C-2",
    id="2C-2",
    phase="2C",
    name="Merging adapters",
    effort="an hour",
    claim=Claim(42, 39, 42),
    what="The adapter's product is added to the weights once, so that serving pays nothing for it.",
    when="For speed. It cannot change what is read, apart from rounding.",
    example="# On the command line:\n# odia-ocr adapters merge --help",
    joins=False,
    why="It changes no reading but for rounding; docs/vlm.md has its speed on a small model.",
)

AVERAGED_VERSIONS = Technique(
    key="2C-3/mean",
    id="2C-3",
    phase="2C",
    name="Test-time augmentation: mean of emissions",
    effort="hours; reading takes as many times as long as there are versions",
    claim=_SCALES,
    what="The line is read as it stands, blurred and sharpened; the frame-by-frame probabilities "
    "are averaged and searched once.",
    when="On noisy or badly focused lines, where time does not count.",
    example=example(
        "from odia_ocr.recognize.augment import change_line",
        "from odia_ocr.recognize.averaging import average_emissions",
        "from odia_ocr.recognize.ctc import load",
        "recognizer = load()",
        "views = [[change_line(name, line) for line in lines] for name in ('as-is', 'blur')]",
        "emissions = [recognizer.emit(view)[0] for view in views]",
        "print(recognizer.decoder(average_emissions(emissions, how='log'))[0].text)",
    ),
    change=_average_versions,
    frames=True,
    grid={"versions": ("blur+sharpen", "blur"), "average": ("log",)},
)

VOTED_VERSIONS = Technique(
    key="2C-3/vote",
    id="2C-3",
    phase="2C",
    name="Scales and paddings: vote",
    effort="hours; reading takes as many times as long as there are versions",
    claim=_SCALES,
    what="The line is read at other widths and with more room around it; the readings are aligned "
    "and each grapheme cluster is voted on.",
    when="On crops that are cut tight or letters of unusual width. On a vision-language model an "
    "aligned vote was worth 4 points (arXiv 2509.09722).",
    example=example(
        "from odia_ocr.fuse.vote import Vote",
        "from odia_ocr.recognize.augment import VersionRecognizer",
        "from odia_ocr.recognize.ctc import load",
        "readings = [VersionRecognizer(load(), name).read(lines) for name in ('as-is', 'pad')]",
        "print(Vote(by='confidence')([read[0] for read in readings]).best.text)",
    ),
    change=_vote_versions,
    grid={"versions": ("pad+wide",), "by": ("confidence", "majority")},
)

JOINT_VERSIONS = Technique(
    key="2C-3/joint",
    id="2C-3",
    phase="2C",
    name="Scales and paddings: joint reading",
    effort="hours; reading takes more than as many times as long as there are versions",
    claim=_SCALES,
    what="The best readings of every version of the line are judged under all versions, over all "
    "their paths, and by the language model where the stack has one; a line of whose reading the "
    "first is sure is left to it.",
    when="Where accuracy counts more than time and there is one model only.",
    example=example(
        "from odia_ocr.recognize.augment import View",
        "from odia_ocr.recognize.ctc import load",
        "from odia_ocr.recognize.joint import JointRecognizer",
        "recognizer = load()",
        "views = (View(recognizer), View(recognizer, 'wide'))",
        "print(JointRecognizer('joint', views, recognizer.decoder).read(lines)[0].best.text)",
    ),
    change=_join_versions,
    frames=True,
    grid={"versions": ("wide+narrow", "pad+wide"), "nbest": (4,)},
)

TECHNIQUES = (
    LORA_GROWTH,
    ADAPTER_MERGE,
    AVERAGED_VERSIONS,
    VOTED_VERSIONS,
    JOINT_VERSIONS,
)
