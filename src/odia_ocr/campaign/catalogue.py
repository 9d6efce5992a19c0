"""All techniques, in the plan's order."""

from __future__ import annotations

from collections.abc import Mapping

from odia_ocr.campaign import phase_2a, phase_2b, phase_2c, phase_3, phase_plus
from odia_ocr.campaign.techniques import Technique
from odia_ocr.errors import name_choices

TECHNIQUES: Mapping[str, Technique] = {
    technique.key: technique
    for phase in (phase_2a, phase_2b, phase_2c, phase_3, phase_plus)
    for technique in phase.TECHNIQUES
}


def find_techniques(name: str) -> tuple[Technique, ...]:
    """The technique of a key, or all of an id: "2A-2" gives every kind of ensemble.

    Raises:
        UsageError: Unknown name; the message lists the known ids.
    """
    if name in TECHNIQUES:
        return (TECHNIQUES[name],)
    found = tuple(t for t in TECHNIQUES.values() if t.id.lower() == name.lower())
    if not found:
        known = dict.fromkeys([*(t.id for t in TECHNIQUES.values()), *TECHNIQUES])
        raise name_choices(name, list(known), kind="technique")
    return found
