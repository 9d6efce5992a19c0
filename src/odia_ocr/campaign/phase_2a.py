"""Phase 2A: beam search, temperature and sampling; the ensembles have a file of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from odia_ocr.campaign.ensembles import TECHNIQUES as ENSEMBLES
from odia_ocr.campaign.sample import example
from odia_ocr.campaign.stack import Stack
from odia_ocr.campaign.techniques import Claim, Means, Settings, Technique, from_fused

_TEMPERATURE = Claim(42, 33, 40)
_NBEST = 8


def _search(stack: Stack, settings: Settings, _: Means) -> Stack:
    return replace(stack, decode="beam", width=settings["width"])


def _sample_alone(stack: Stack, settings: Settings, _: Means) -> Stack:
    return replace(stack, decode="sample", draws=1, **_sampling(settings))


def _sample_for_risk(stack: Stack, settings: Settings, _: Means) -> Stack:
    """Sampled candidates; a beam keeps its own, whose posteriors the temperature evens out."""
    if stack.decode == "beam":
        return replace(stack, nbest=_NBEST, combine="mbr", risk_heat=settings["heat"])
    draws = settings["draws"]
    return replace(stack, decode="sample", draws=draws, combine="mbr", **_sampling(settings))


def _sampling(settings: Settings) -> dict[str, Any]:
    return {"heat": settings["heat"], "top_p": settings["top_p"], "top_k": 50}


def _heat_emission(stack: Stack, settings: Settings, _: Means) -> Stack:
    return replace(stack, temperature=settings["temperature"])


def _take_least_risk(stack: Stack, settings: Settings, _: Means) -> Stack:
    return replace(stack, nbest=_NBEST, combine="mbr", risk_heat=settings["risk_heat"])


BEAM = Technique(
    key="2A-1",
    id="2A-1",
    phase="2A",
    name="Beam search",
    effort="2-3 hours",
    claim=Claim(42, 35, 38),
    what="Prefix beam search over the emission instead of its best path, without language model: "
    "the probability of a reading is summed over all its paths.",
    when="By itself it changes almost nothing on a CTC model. It is what language model fusion, "
    "reranking and minimum risk stand on.",
    example=example(
        "from dataclasses import replace",
        "from odia_ocr.recognize.ctc import load",
        "from odia_ocr.recognize.decode.beam import BeamDecoder",
        "recognizer = replace(load(), decoder=BeamDecoder(width=5, nbest=5))",
        "for hyp in recognizer.read(lines)[0].hypotheses:",
        "    print(f'{hyp.posterior:.3f}', hyp.text)",
    ),
    change=_search,
    grid={"width": (5, 16)},
)

SAMPLING = Technique(
    key="2A-3/alone",
    id="2A-3",
    phase="2A",
    name="Temperature and sampling alone",
    effort="1 hour",
    claim=_TEMPERATURE,
    what="One path is drawn by chance, at a temperature, from the likeliest classes of each frame "
    "(top-p, top-k), and taken for the reading.",
    when="Never for a final text: a drawn path is at best the best path. Sampling pays as a source "
    "of candidates.",
    example=example(
        "from dataclasses import replace",
        "from odia_ocr.recognize.ctc import load",
        "from odia_ocr.recognize.decode.sampling import SamplingDecoder",
        "drawn = SamplingDecoder(count=1, temperature=0.7, top_p=0.9, top_k=50, first=True)",
        "print(replace(load(), decoder=drawn).read(lines)[0].best.text)",
    ),
    change=_sample_alone,
    grid={"heat": (0.7,), "top_p": (0.9,)},
    joins=False,
)

SAMPLED_RISK = Technique(
    key="2A-3/mbr",
    id="2A-3",
    phase="2A",
    name="Sampled candidates, minimum risk",
    effort="1 hour",
    claim=_TEMPERATURE,
    what="Readings are sampled, or the beam's are taken, and the one with the least expected edit "
    "distance to all others is chosen (minimum Bayes risk).",
    when="When several readings are about equally likely. Where the model is sure of itself the "
    "likeliest reading is chosen all the same.",
    example=example(
        "from odia_ocr.fuse.mbr import MinimumRisk",
        "from odia_ocr.recognize.ctc import load",
        "from odia_ocr.recognize.decode.sampling import SamplingDecoder",
        "from odia_ocr.types import Candidates",
        "sampled = SamplingDecoder(count=16, temperature=1.0)",
        "emission = load().emit(lines)[0]",
        "print(MinimumRisk()(Candidates(emission.line_id, sampled(emission))).best.text)",
    ),
    change=_sample_for_risk,
    grid={"heat": (0.7, 1.0), "top_p": (0.9,), "draws": (16,)},
    joins=False,
)

HEATED = Technique(
    key="2A-3/emission",
    id="2A-3",
    phase="2A",
    name="Temperature of the emission",
    effort="minutes",
    claim=_TEMPERATURE,
    what="The model's log-probabilities are divided by a temperature before the search, so that "
    "an over-sure model leaves the language model more to say.",
    when="Beside the language model, when its weight cannot make up for an over-sure model. The "
    "best path does not change.",
    example=example(
        "from dataclasses import replace",
        "import numpy as np",
        "from odia_ocr.recognize.ctc import load",
        "recognizer = load()",
        "emission = recognizer.emit(lines)[0]",
        "logs = emission.log_probs / 1.5",
        "logs = logs - np.log(np.exp(logs).sum(axis=1, keepdims=True))",
        "print(recognizer.decoder(replace(emission, log_probs=logs))[0].text)",
    ),
    change=_heat_emission,
    frames=True,
    grid={"temperature": (0.8, 1.25)},
    start=from_fused,
)

RISK = Technique(
    key="2A-3/mbr-beam",
    id="2A-3",
    phase="2A",
    name="Minimum risk over the beam's candidates",
    effort="minutes",
    claim=None,
    what="Of the search's best readings the one with the least expected edit distance is taken.",
    when="On lines with several doubtful places, whose likeliest whole reading may be a bad "
    "compromise.",
    example=example(
        "from dataclasses import replace",
        "from odia_ocr.fuse.mbr import MinimumRisk",
        "from odia_ocr.recognize.ctc import load",
        "recognizer = load()",
        "recognizer = replace(recognizer, decoder=replace(recognizer.decoder, nbest=8))",
        "print(MinimumRisk(temperature=1.5)(recognizer.read(lines)[0]).best.text)",
    ),
    change=_take_least_risk,
    grid={"risk_heat": (1.0, 2.0)},
    start=from_fused,
)

TECHNIQUES = (BEAM, *ENSEMBLES, SAMPLING, SAMPLED_RISK, HEATED, RISK)
