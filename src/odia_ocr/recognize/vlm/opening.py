"""A Qwen2.5-VL from a folder or a hub, with its tokenizer, settings and adapters.

Works without torchvision: pictures go through the processor that needs only Pillow, in training and
in reading alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

from odia_ocr.errors import ConfigError, ModelMissingError, ResourceMissingError
from odia_ocr.recognize.vlm.adapters import add_adapter
from odia_ocr.recognize.vlm.attention import group_attention
from odia_ocr.recognize.vlm.inputs import VlmEncoder
from odia_ocr.recognize.vlm.settings import VlmSettings, read_vlm_settings
from odia_ocr.runtime import find_weights

if TYPE_CHECKING:
    from transformers import PreTrainedModel

TINY = "tiny"
KINDS = ("qwen2_5_vl", "qwen2_vl")
Bits = Literal["", "4bit", "8bit"]
_DTYPES = ("auto", "float32", "bfloat16", "float16")


@dataclass(frozen=True, slots=True)
class Placement:
    """Where and how weights are held.

    Attributes:
        device: "auto", "cpu", "cuda" or "cuda:1".
        dtype: "auto", "float32", "bfloat16" or "float16"; auto takes float32 on a CPU, and
            elsewhere that of the file.
        load_in: "4bit" or "8bit" quantises while loading, with bitsandbytes.
    """

    device: str = "auto"
    dtype: str = "auto"
    load_in: Bits = ""

    def __post_init__(self) -> None:
        if self.dtype not in _DTYPES:
            raise ConfigError(f"dtype must be one of {', '.join(_DTYPES)}, got {self.dtype!r}.")
        if self.load_in not in ("", "4bit", "8bit"):
            raise ConfigError(f"load-in must be 4bit or 8bit, got {self.load_in!r}.")


@dataclass(slots=True, eq=False)
class OpenVlm:
    """A model that is open.

    Attributes:
        name: For people, without the folder it lies in.
        model: Bare, or a `PeftModel` when there are adapters.
        encoder: Makes its inputs.
        adapters: Names of its adapters, in the order they were given.
        device: Where it computes.
    """

    name: str
    model: Any
    encoder: VlmEncoder
    adapters: tuple[str, ...]
    device: torch.device

    @property
    def base(self) -> Any:
        """The model below its adapters."""
        return self.model.get_base_model() if self.adapters else self.model


def open_vlm(
    base: str, adapters: tuple[str, ...] = (), *, placement: Placement | None = None
) -> OpenVlm:
    """Open a model with its adapters.

    Args:
        base: Folder or hub id of a Qwen2.5-VL; "tiny" is the shipped one.
        adapters: Folders or hub ids of LoRA adapters for it.
        placement: Where and how.

    Raises:
        ModelMissingError: If something is missing, damaged or does not fit.
        ResourceMissingError: If the device or a library for `load_in` is not there.
    """
    placement = placement or Placement()
    source = find_source(base)
    device = _choose_device(placement.device)
    model = _open_model(source, placement, device)
    tokenizer, processor = open_tokenizer(source), open_processor(source)
    settings = _find_settings(source, adapters)
    encoder = VlmEncoder(tokenizer, processor, settings)
    names = []
    for i, folder in enumerate(adapters):
        names.append(f"a{i}")
        model = add_adapter(model, folder, names[-1])
    if names:
        model.set_adapter(names[0])
    shown = "+".join([Path(base).name, *(Path(folder).name for folder in adapters)])
    return OpenVlm(f"vlm-{shown}", model.eval(), encoder, tuple(names), device)


def find_source(name: str) -> str:
    """The folder or hub id behind the name of a model; "tiny" is the shipped one.

    Raises:
        ModelMissingError: If this installation does not hold the shipped one.
    """
    if name == TINY:
        return str(find_weights(f"vlm-{TINY}/model", ".safetensors").parent)
    return name


def open_tokenizer(source: str) -> Any:
    """The tokenizer of a model.

    Raises:
        ModelMissingError: If it is missing or has no chat template.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
    except Exception as error:  # the hub and tokenizers raise families of their own
        raise _refuse(source, "tokenizer", error) from error
    if not tokenizer.chat_template:
        raise ModelMissingError(
            f"The tokenizer of {source} has no chat template.",
            next_step="Copy chat_template.jinja of the instruct model into the folder.",
        )
    return tokenizer


def open_processor(source: str) -> Any:
    """The image processor of a model, the one that needs no torchvision.

    Raises:
        ModelMissingError: If it is missing.
    """
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import (
        Qwen2VLImageProcessorPil,
    )

    try:
        return Qwen2VLImageProcessorPil.from_pretrained(source)
    except Exception as error:  # as above
        raise _refuse(source, "image processor", error) from error


def _open_model(source: str, placement: Placement, device: torch.device) -> PreTrainedModel:
    from transformers import AutoConfig, AutoModelForImageTextToText

    try:
        kind = AutoConfig.from_pretrained(source).model_type
    except Exception as error:
        raise _refuse(source, "model", error) from error
    if kind not in KINDS:
        raise ModelMissingError(
            f"{source} is a {kind} model, no Qwen2.5-VL.",
            next_step="Name a Qwen2.5-VL, e.g. vlm:Qwen/Qwen2.5-VL-3B-Instruct, or serve it "
            "and use remote:URL.",
        )
    options: dict[str, Any] = {"dtype": _choose_dtype(placement, device)}
    if placement.load_in:
        options["quantization_config"] = _quantise(placement.load_in)
        options["device_map"] = {"": device}
    try:
        model = AutoModelForImageTextToText.from_pretrained(source, **options)
        if not placement.load_in:
            model = model.to(device)
    except torch.OutOfMemoryError as error:
        raise ResourceMissingError(
            f"No memory left on {device} for {source}.",
            next_step="Use --load-in 4bit, --dtype bfloat16, or --device cpu.",
        ) from error
    except Exception as error:  # safetensors, the hub and torch raise families of their own
        raise _refuse(source, "model", error) from error
    if device.type == "cpu":
        group_attention(model)
    return model


def _refuse(source: str, what: str, error: Exception) -> ModelMissingError:
    place = f"in the folder {source}" if Path(source).is_dir() else f"under the name {source}"
    return ModelMissingError(
        f"No usable {what} {place}: {str(error).strip().splitlines()[0]}",
        next_step="Name a folder with config.json, model.safetensors, tokenizer.json and "
        "preprocessor_config.json, or a hub id that can be reached; `vlm:tiny` is shipped.",
    )


def _find_settings(source: str, adapters: tuple[str, ...]) -> VlmSettings:
    """Those saved with the first adapter that has some, else with the model, else the defaults."""
    for place in (*adapters, source):
        found = read_vlm_settings(_find_folder(place))
        if found is not None:
            return found
    return VlmSettings()


def _find_folder(place: str) -> Path:
    """The folder of a model on this machine, also of one that came from a hub."""
    if Path(place).is_dir():
        return Path(place)
    from huggingface_hub import try_to_load_from_cache

    from odia_ocr.recognize.vlm.settings import FILE_NAME

    cached = try_to_load_from_cache(place, FILE_NAME)
    return Path(cached).parent if isinstance(cached, str) else Path(place)


def _choose_device(wanted: str) -> torch.device:
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise ConfigError(
            f"Unknown device {wanted!r}.", next_step="Use auto, cpu, cuda or cuda:1."
        ) from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ResourceMissingError("There is no CUDA device.", next_step="Use --device cpu.")
    return device


def _choose_dtype(placement: Placement, device: torch.device) -> Any:
    if placement.dtype != "auto":
        return getattr(torch, placement.dtype)
    return torch.float32 if device.type == "cpu" else "auto"


def _quantise(bits: str) -> Any:
    import importlib.util

    from transformers import BitsAndBytesConfig

    if importlib.util.find_spec("bitsandbytes") is None:
        raise ResourceMissingError(
            f"--load-in {bits} needs bitsandbytes, which is not installed.",
            next_step="Install it with: pip install bitsandbytes, or leave --load-in out.",
        )
    return BitsAndBytesConfig(**{f"load_in_{bits}": True})
