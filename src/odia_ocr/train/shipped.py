"""Where the torch weights of the shipped model are: in the repository, outside the wheel."""

from __future__ import annotations

from pathlib import Path

from odia_ocr.errors import ModelMissingError


def find_shipped_weights(name: str = "ctc") -> Path:
    """`training/NAME.safetensors` of a checkout.

    Raises:
        ModelMissingError: In an installation without the repository.
    """
    path = Path(__file__).resolve().parents[3] / "training" / f"{name}.safetensors"
    if not path.exists():
        raise ModelMissingError(
            "The shipped torch weights are kept in the repository, not in the wheel.",
            next_step="Clone the repository, or name a .safetensors file with --from.",
        )
    return path
