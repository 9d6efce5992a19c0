"""Phase 2B: correction, confidence, language model."""

from __future__ import annotations

from dataclasses import asdict, replace

from odia_ocr.campaign.reader import StackReader
from odia_ocr.campaign.sample import example
from odia_ocr.campaign.sets import Bench
from odia_ocr.campaign.sources import open_language_model
from odia_ocr.campaign.stack import Rerank, Stack
from odia_ocr.campaign.techniques import Claim, Means, Settings, Technique, from_fused
from odia_ocr.correct.dictionary import NBEST, WIDTH
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


def _correct(stack: Stack, _: Settings, __: Means) -> Stack:
    """Beside a language model the readings that it turned down are proposals too."""
    if stack.lm and stack.decode == "beam" and not stack.combine:
        stack = replace(stack, width=max(WIDTH, stack.width), nbest=max(NBEST, stack.nbest))
    return replace(stack, correct=True)


def _route(stack: Stack, settings: Settings, means: Means) -> Stack:
    """Doubtful lines are read by the stack; that of the single reader becomes a fused one."""
    strong = from_fused(means) if stack == stack.single else stack
    return replace(strong, route=settings["sure"])


CORRECTION = Technique(
    key="2B-1/path",
    id="2B-1",
    phase="2B",
    name="Correction dictionary",
    effort="hours; a lexicon and lines with known text to fit on",
    claim=Claim(42, 35, 40),
    what="Words are compared with those of a lexicon that learned confusions and the "
    "recognizer's own doubts make of them; picture, lexicon and language model together say "
    "how likely each is, and an edit is made above a threshold fitted on held-out lines. Words "
    "with digits or Latin letters stay alone.",
    when="Behind best-path decoding, where errors make words that do not exist.",
    example=example(
        "from dataclasses import replace",
        "from odia_ocr.correct.dictionary import RIVALS, load_corrector",
        "from odia_ocr.recognize.ctc import load_fast",
        "recognizer = load_fast()",
        "recognizer = replace(",
        "    recognizer, decoder=replace(recognizer.decoder, alternatives=RIVALS)",
        ")",
        "correct = load_corrector(recognizer, 'path')",
        "for cands in recognizer.read(lines):",
        "    reading = correct(cands)",
        "    print(reading.text, *(edit.reason for edit in reading.edits))",
    ),
    change=_correct,
)

CORRECTION_FUSED = replace(
    CORRECTION,
    key="2B-1/fusion",
    name="Correction dictionary behind the language model",
    what="The same behind a beam with the language model, whose other readings are proposals too.",
    when="Hardly ever: the language model has already made the words that the lexicon would.",
    example=example(
        "from dataclasses import replace",
        "from odia_ocr.correct.dictionary import NBEST, RIVALS, WIDTH, load_corrector",
        "from odia_ocr.recognize.ctc import load",
        "recognizer = load()",
        "decoder = replace(",
        "    recognizer.decoder, width=WIDTH, nbest=NBEST, alternatives=RIVALS",
        ")",
        "recognizer = replace(recognizer, decoder=decoder)",
        "correct = load_corrector(recognizer, 'beam')",
        "for cands in recognizer.read(lines):",
        "    print(correct(cands).text)",
    ),
    frames=True,
    start=from_fused,
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
    frames=True,
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

TECHNIQUES = (CORRECTION, CORRECTION_FUSED, ROUTING, FUSION, RERANKING)
