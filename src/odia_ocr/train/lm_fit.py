"""How much the language model counts beside a recognizer: fitted on rendered held-out lines.

The lines are of the split "check", in the held-out faces: damaged running text, damaged lines of
all kinds, clean ones, and lines of numbers and Latin words, which must not be bent. Emissions are
computed once. The weights go into the model's file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from odia_ocr.data.compose import Mix
from odia_ocr.data.lines import make_renderer
from odia_ocr.data.recipe import CLEAN, TRAINING
from odia_ocr.language import count_edits, fold
from odia_ocr.language.ngram import NgramModel, open_ngram_model
from odia_ocr.language.ngram_file import open_ngram_file, write_ngram_file
from odia_ocr.recognize.ctc import CtcRecognizer
from odia_ocr.recognize.decode.beam import BeamDecoder
from odia_ocr.recognize.decode.fusion import Fusion
from odia_ocr.recognize.decode.greedy import GreedyDecoder
from odia_ocr.types import Decoder, Emission, LineImage

_RUNNING = Mix(running=1.0, words=0.0, numbers=0.0, latin=0.0, rare=0.0, min_words=3, max_words=10)
_FOREIGN = Mix(running=0.0, words=0.0, numbers=0.4, latin=0.6, rare=0.0, min_words=3, max_words=7)
# Shares of the fitting lines: recipe, kind of text.
_PARTS = (
    (0.5, TRAINING, _RUNNING),
    (0.2, TRAINING, Mix()),
    (0.15, CLEAN, _RUNNING),
    (0.15, CLEAN, _FOREIGN),
)
_ALPHAS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9, 1.05)
_BETAS = (-0.3, 0.0, 0.3, 0.6, 0.9, 1.2, 1.6, 2.0, 2.5)
_START = (5, 4)  # alpha 0.6, beta 0.9
_PORTION = 32
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class FittingLine:
    """What a recognizer says about a line, and its true text as it is scored."""

    emission: Emission
    text: str


@dataclass(frozen=True, slots=True)
class FusionFit:
    """Weights that leave the fewest errors.

    Attributes:
        fusion: The weights.
        lines: Lines they were fitted on.
        greedy: Character error rate of best-path decoding there, a fraction.
        beam: That of the search with these weights.
    """

    fusion: Fusion
    lines: int
    greedy: float
    beam: float


def emit_fitting_lines(
    recognizer: CtcRecognizer, *, count: int, seed: int = 606
) -> Iterator[FittingLine]:
    """Render the fitting lines and run the recognizer on them."""
    for i, (share, recipe, mix) in enumerate(_PARTS):
        renderer = make_renderer(split="check", seed=seed + i, recipe=recipe, mix=mix)
        drawn = [renderer.render(index) for index in range(max(1, round(share * count)))]
        for at in range(0, len(drawn), _PORTION):
            some = drawn[at : at + _PORTION]
            images = [LineImage(str(at + j), line.pixels) for j, line in enumerate(some)]
            for emission, line in zip(recognizer.emit(images), some, strict=True):
                yield FittingLine(emission, fold(line.text))


def measure_decoder(lines: Sequence[FittingLine], decoder: Decoder) -> float:
    """Character error rate of a decoder, a fraction."""
    edits = length = 0
    for line in lines:
        counts = count_edits(line.text, fold(decoder(line.emission)[0].text))
        edits += counts.edits
        length += counts.length
    return edits / max(1, length)


def fit_fusion(
    lm: NgramModel,
    lines: Sequence[FittingLine],
    greedy: Decoder,
    *,
    decoder: BeamDecoder | None = None,
    report: Report = print,
) -> FusionFit:
    """Descend on a grid of the two weights until no neighbour leaves fewer errors.

    Args:
        lm: The language model.
        lines: Fitting lines.
        greedy: The decoder to compare with.
        decoder: Settings of the search.
        report: Told each point that was tried.
    """
    search = replace(decoder or BeamDecoder(), lm=lm, nbest=1)
    tried: dict[tuple[int, int], float] = {}

    def rate(at: tuple[int, int]) -> float:
        if at not in tried:
            fusion = Fusion(_ALPHAS[at[0]], _BETAS[at[1]])
            tried[at] = measure_decoder(lines, replace(search, fusion=fusion))
            report(f"alpha {fusion.alpha:.2f} beta {fusion.beta:+.2f}: CER {100 * tried[at]:.3f} %")
        return tried[at]

    best = _START
    while True:
        a, b = best
        near = [(a + 1, b), (a - 1, b), (a, b + 1), (a, b - 1), (a + 1, b + 1), (a - 1, b - 1)]
        inside = [(i, j) for i, j in near if 0 <= i < len(_ALPHAS) and 0 <= j < len(_BETAS)]
        better = min(inside, key=rate)
        if rate(better) >= rate(best):
            break
        best = better
    fusion = Fusion(_ALPHAS[best[0]], _BETAS[best[1]])
    return FusionFit(fusion, len(lines), measure_decoder(lines, greedy), rate(best))


def store_fusion(path: Path, fit: FusionFit, recognizer: str) -> None:
    """Write fitted weights into a model's file; everything else stays.

    Raises:
        ModelMissingError: If the file is no language model.
        OutputError: If it cannot be written.
    """
    file = open_ngram_file(path)
    fitted = {
        "recognizer": recognizer,
        "lines": fit.lines,
        "cer_greedy": round(fit.greedy, 5),
        "cer_beam": round(fit.beam, 5),
    }
    facts = {**file.facts, "fusion": asdict(fit.fusion), "fitted": fitted}
    write_ngram_file(path, file.symbols, facts, file.levels)


def fit_file(
    path: Path, recognizer: CtcRecognizer, *, count: int = 400, report: Report = print
) -> FusionFit:
    """Fit a model's weights to a recognizer and store them; the whole of `train lm --fit`.

    Raises:
        ModelMissingError: If the file is no language model.
        OutputError: If it cannot be written.
    """
    lm = open_ngram_model(path)
    report(f"Rendering {count} held-out lines and reading them with {recognizer.name} ...")
    lines = list(emit_fitting_lines(recognizer, count=count))
    fit = fit_fusion(lm, lines, GreedyDecoder(), report=report)
    store_fusion(path, fit, recognizer.name)
    report(
        f"Stored alpha {fit.fusion.alpha:g}, beta {fit.fusion.beta:g}: CER of the fitting lines "
        f"{100 * fit.greedy:.2f} % by the best path, {100 * fit.beam:.2f} % with the model."
    )
    return fit
