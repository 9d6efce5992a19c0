"""Labels that recognizers disagree with: what they read, and how surely the picture says so.

A recognizer misreads as well, so a different reading is no evidence yet. A model that gives
emissions is asked how likely it holds the label beside its own reading, over all paths, with the
language model's opinion of both; that is weighed against how sure it is of its own reading. Other
engines are asked whether they are confident of the letters that differ.
Source: Northcutt et al. 2021, "Confident learning", for the idea of counting on confidence; Graves
et al. 2006 for the likelihoods.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from odia_ocr.language import Alphabet, align, count_edits, fold, normalise, split_clusters
from odia_ocr.line_reading import LineReader
from odia_ocr.recognize.decode.beam import BeamDecoder
from odia_ocr.recognize.decode.forward import score_labels
from odia_ocr.types import Candidates, Emission, LineImage, Problem

if TYPE_CHECKING:
    from odia_ocr.types import Decoder, Reading

# Of how many nats the reading must be likelier than the label, for each nat that its own
# log-probability lies below 0 (and 4 more): among 900 rendered lines, clean and damaged, in faces
# seen and not seen in training, 2 to 3 % of right labels lie above it.
DOUBTED = 2.0
_FREE = 4.0
_SURE = 0.95  # confidence of a differing letter, of an engine without emissions
_FAR = 0.3  # share of clusters that differ, of an engine without confidence


@runtime_checkable
class _Emitter(Protocol):
    """A CTC recognizer: it says how likely any text is."""

    alphabet: tuple[str, ...]
    decoder: Decoder

    def emit(self, lines: Sequence[LineImage]) -> list[Emission]: ...


@dataclass(frozen=True, slots=True)
class Doubt:
    """What an engine makes of a label.

    Attributes:
        engine: Its name.
        reading: What it reads.
        strength: How strongly it disagrees; 1 or more is a disagreement that counts.
    """

    engine: str
    reading: str
    strength: float


@dataclass(frozen=True, slots=True)
class Judge:
    """An engine that is asked for its opinion on labels; `reader` reads the lines."""

    reader: LineReader

    def judge(self, lines: Sequence[LineImage], labels: Sequence[str]) -> list[Doubt | Problem]:
        """One opinion for each line, in order; a Problem where it could not be read.

        Raises:
            ResourceMissingError: If the engine lacks something it needs.
        """
        model = self.reader.recognizer
        if isinstance(model, _Emitter):
            emissions = model.emit(lines)
            return [
                self._weigh(model, emission, normalise(label))
                for emission, label in zip(emissions, labels, strict=True)
            ]
        readings = self.reader.read_lines(lines)
        return [
            reading if isinstance(reading, Problem) else self._compare(reading, normalise(label))
            for reading, label in zip(readings, labels, strict=True)
        ]

    def _weigh(self, model: _Emitter, emission: Emission, label: str) -> Doubt:
        name = self.reader.recognizer.name
        reading = self.reader.corrector(Candidates(emission.line_id, model.decoder(emission))).text
        if fold(reading) == fold(label):
            return Doubt(name, reading, 0.0)
        alphabet = Alphabet(emission.alphabet)
        if any(char not in alphabet for char in label):
            return Doubt(name, reading, 0.0)  # it cannot speak of what it never saw
        seen, claimed = score_labels(
            emission.log_probs, [alphabet.encode(reading), alphabet.encode(label)]
        )
        gap = seen - claimed + _speak_for(model.decoder, reading) - _speak_for(model.decoder, label)
        return Doubt(name, reading, max(0.0, gap / (_FREE - seen)) / DOUBTED)

    def _compare(self, reading: Reading, label: str) -> Doubt:
        name = self.reader.recognizer.name
        if fold(reading.text) == fold(label):
            return Doubt(name, reading.text, 0.0)
        if reading.cluster_confidence:
            return Doubt(name, reading.text, _surest_difference(reading, label) / _SURE)
        differing = count_edits(split_clusters(fold(label)), split_clusters(fold(reading.text)))
        return Doubt(name, reading.text, differing.rate / _FAR)


def _speak_for(decoder: Decoder, text: str) -> float:
    """What the language model that takes part in decoding says for a text, as it counts there."""
    if not isinstance(decoder, BeamDecoder) or decoder.lm is None:
        return 0.0
    return decoder.fusion.weigh(decoder.lm, text)


def _surest_difference(reading: Reading, label: str) -> float:
    """The highest confidence of a cluster that the label has otherwise, 0..1.

    Where the label has more than was read, the clusters on both sides vouch for its absence.
    """
    clusters = split_clusters(reading.text)
    sure = (*reading.cluster_confidence, 1.0)
    most, at = 0.0, 0
    for pair in align(split_clusters(label), clusters):
        if not pair.hypothesis:
            most = max(most, min(sure[max(0, at - 1)], sure[at]))
            continue
        if fold(pair.reference) != fold(pair.hypothesis):
            most = max(most, sure[at])
        at += 1
    return most
