"""Phase 2B: correction, confidence, language model."""

from __future__ import annotations

from dataclasses import asdict, replace

from odia_ocr.campaign.reader import StackReader
from odia_ocr.campaign.sample import example
from odia_ocr.campaign.sets import Bench
from odia_ocr.campaign.sources import open_language_model
from odia_ocr.campaign.stack import Rerank, Stack
from odia_ocr.campaign.techniques import Claim, Means, Settings, Technique, from_fused
from odia_ocr.errors import RecognitionError
from odia_ocr.fuse.rerank import fit_reranker
from odia_ocr.types import Candidates

_LANGUAGE = Claim(42, 30, 35)
_NBEST = 10


def _fuse_language(stack: Stack, settings: Settings, _: Means) -> Stack:
    return replace(stack, decode="beam", lm=True, alpha=settings["alpha"], beta=settings["beta"])


def _list_candidates(stack: Stack) -> Stack:
    """The stack with an N-best list: a beam keeps its kind, a best path becomes a beam."""
    return replace(stack, decode="beam", nbest=_NBEST, width=max(stack.width, 2 * _NBEST))


def _rerank(stack: Stack, settings: Settings, _: Means) -> Stack:
    weights = Rerank(settings["optical"], settings["alpha"], settings["beta"])
    return replace(_list_candidates(stack), rerank=weights)


def _fit_rerank(reader: StackReader, bench: Bench, stack: Stack) -> Settings:
    """Weights that leave the fewest errors on the fitting lines."""
    source = reader.sources.find(_list_candidates(stack), bench)[0]
    pairs = [
        (outcome, text)
        for outcome, text in zip(source.outcomes, bench.texts, strict=True)
        if isinstance(outcome, Candidates)
    ]
    if not pairs:
        raise RecognitionError("No fitting line was read.")
    cands, texts = zip(*pairs, strict=True)
    return asdict(fit_reranker(cands, texts, open_language_model()).weights)


def _route(stack: Stack, settings: Settings, means: Means) -> Stack:
    """Doubtful lines are read by the stack; that of the single reader becomes a fused one."""
    strong = from_fused(means) if stack == stack.single else stack
    return replace(strong, route=settings["sure"])


CORRECTION = Technique(
    key="2B-1/fusion",
    id="2B-1",
    phase="2B",
    name="Correction dictionary",
    effort="days; a lexicon and a fitting set",
    claim=Claim(42, 35, 40),
    what="Words that are in no lexicon are compared with those that learned confusions make of "
    "them; an edit is made where picture, lexicon and language model together gain enough by it.",
    when="When errors make words that do not exist. Names, numbers and dialect words must stay "
    "alone, so it is safe only with a threshold fitted on held-out lines.",
    example="# Not part of this version.",
    joins=False,
    why="The correction dictionary is not part of this version.",
)

ROUTING = Technique(
    key="2B-2",
    id="2B-2",
    phase="2B",
    name="Confidence scoring and routing",
    effort="hours; a fit on held-out lines",
    claim=Claim(42, 38, 41),
    what="Every line gets a calibrated probability of being right. Lines below a threshold are "
    "read again by the stronger stack, the others keep the quick reading.",
    when="When the strong stack is slow and most lines are easy. It lowers no error rate beyond "
    "the strong stack's; it saves that stack's time, and tells what to look at.",
    example=example(
        "from odia_ocr.correct.calibrate import load_for",
        "from odia_ocr.recognize.ctc import load, load_fast",
        "quick, strong = load_fast(), load()",
        "readings = [load_for(quick)(cands) for cands in quick.read(lines)]",
        "again = [i for i, reading in enumerate(readings) if (reading.confidence or 0) < 0.7]",
        "for cands in strong.read([lines[i] for i in again]):",
        "    print(cands.line_id, cands.best.text)",
    ),
    change=_route,
    grid={"sure": (0.7, 0.9, 0.97)},
    joins=False,
)

FUSION = Technique(
    key="2B-3/fusion",
    id="2B-3",
    phase="2B",
    name="Language model in the beam",
    effort="days; a corpus of text",
    claim=_LANGUAGE,
    what="A character 7-gram model (interpolated Kneser-Ney, 6 MB) scores every prefix of the beam "
    "beside the picture; it speaks about Odia letters only, never about numbers or Latin words.",
    when="Nearly always: damaged print most of all. It was learned from books; on texts of other "
    "kinds it helps less.",
    example=example(
        "from odia_ocr.recognize.ctc import load, load_fast",
        "for recognizer in (load_fast(), load()):",
        "    print(recognizer.read(lines)[0].best.text)",
    ),
    change=_fuse_language,
    grid={"alpha": (0.6, 0.75, 0.9), "beta": (0.8, 1.2, 1.6)},
)

RERANKING = Technique(
    key="2B-3/rerank",
    id="2B-3",
    phase="2B",
    name="Language model over ten beams",
    effort="a day; a language model",
    claim=_LANGUAGE,
    what="The ten best readings of the beam, searched by the picture alone, are ordered anew by "
    "picture, language model and length.",
    when="For engines whose search cannot be entered, such as Tesseract. Where it can, fusion sees "
    "readings that are not among the ten.",
    example=example(
        "from dataclasses import replace",
        "from odia_ocr.fuse.rerank import Reranker, RerankWeights",
        "from odia_ocr.recognize.ctc import load",
        "from odia_ocr.recognize.decode.beam import BeamDecoder",
        "recognizer = load()",
        "reranker = Reranker(recognizer.decoder.lm, RerankWeights(1.0, 0.6, 0.8))",
        "recognizer = replace(recognizer, decoder=BeamDecoder(width=20, nbest=10))",
        "print(reranker(recognizer.read(lines)[0]).best.text)",
    ),
    change=_rerank,
    fit=_fit_rerank,
)

TECHNIQUES = (CORRECTION, ROUTING, FUSION, RERANKING)
