"""A Qwen2.5-VL or Qwen2-VL from a folder or a hub, with its tokenizer, settings and adapters.

Works without torchvision: pictures go through the processor that needs only Pillow, in training and
in reading alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import torch

from odia_ocr.errors import ConfigError, ModelMissingError, ResourceMissingError
from odia_ocr.recognize.vlm.adapters import (
    add_adapter,
    find_file,
    fits_beside_others,
    holds_adapters,
    is_somewhere,
    tell_first_line,
)
from odia_ocr.recognize.vlm.attention import group_attention
from odia_ocr.recognize.vlm.inputs import IMAGE_TOKEN, VlmEncoder
from odia_ocr.recognize.vlm.naming import find_base, is_shipped
from odia_ocr.recognize.vlm.placement import Placement
from odia_ocr.recognize.vlm.settings import FILE_NAME, VlmSettings, read_vlm_settings

if TYPE_CHECKING:
    from transformers import PreTrainedModel

KINDS = ("qwen2_5_vl", "qwen2_vl")


@dataclass(slots=True, eq=False, weakref_slot=True)
class Weights:
    """The weights of a base and of all adapters that were opened on it.

    Attributes:
        model: Bare, or a `PeftModel` once there are adapters.
        device: Where it computes.
        names: Folder or hub id of each adapter -> its name on the model.
        lock: Held while the model computes: it remembers things between its steps.
    """

    model: Any
    device: torch.device
    names: dict[str, str] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock)

    def add(self, adapter: str) -> str:
        """Put an adapter onto the model, once; returns its name.

        Raises:
            ModelMissingError: If it is missing, damaged, or made for another model.
        """
        with self.lock:
            if adapter not in self.names:
                name = f"a{len(self.names)}"
                self.model = add_adapter(self.model, adapter, name).eval()
                self.names[adapter] = name
            return self.names[adapter]


_OPEN: WeakValueDictionary[tuple[str, Placement], Weights] = WeakValueDictionary()


@dataclass(slots=True, eq=False)
class OpenVlm:
    """A model that is open; several may share its weights.

    Attributes:
        name: For people, without the folder it lies in.
        weights: Of the base and its adapters.
        encoder: Makes its inputs.
        adapters: Names of its own adapters, in the order they were given.
    """

    name: str
    weights: Weights
    encoder: VlmEncoder
    adapters: tuple[str, ...] = ()

    @property
    def model(self) -> Any:
        """The model, with the adapters of all that share it."""
        return self.weights.model

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.weights.device

    @property
    def base(self) -> Any:
        """The model below its adapters."""
        return self.model.get_base_model() if holds_adapters(self.model) else self.model

    @contextmanager
    def speaking(self, adapter: str = "") -> Iterator[None]:
        """Compute with one adapter, or without any, and let nobody else compute meanwhile."""
        with self.weights.lock:
            if adapter:
                self.model.set_adapter(adapter)
            elif holds_adapters(self.model):
                with self.model.disable_adapter():
                    yield
                return
            yield


def open_vlm(
    base: str,
    adapters: tuple[str, ...] = (),
    *,
    placement: Placement | None = None,
    shared: bool = True,
) -> OpenVlm:
    """Open a model with its adapters.

    Args:
        base: Folder or hub id of a Qwen2.5-VL or Qwen2-VL; "tiny" is the shipped one.
        adapters: Folders or hub ids of LoRA adapters for it.
        placement: Where and how.
        shared: Use the weights of a base that is open already, where the adapters can lie beside
            others; not for training.

    Raises:
        ModelMissingError: If something is missing, damaged or does not fit.
        ResourceMissingError: If the device or a library for `load_in` is not there.
    """
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    placement = placement or Placement()
    source = find_source(base)
    settings = find_settings(source, adapters)
    if placement.dtype == "auto":
        placement = replace(placement, dtype=settings.dtype)
    shared = shared and all(map(fits_beside_others, adapters))
    weights = _OPEN.get((source, placement)) if shared else None
    if weights is None:
        device = _choose_device(placement.device)
        weights = Weights(_open_model(source, placement, device).eval(), device)
        if shared:
            _OPEN[source, placement] = weights
    encoder = VlmEncoder(open_tokenizer(source), open_processor(source), settings)
    names = tuple(weights.add(adapter) for adapter in adapters)
    shown = "+".join([Path(base).name, *(Path(folder).name for folder in adapters)])
    return OpenVlm(f"vlm-{shown}", weights, encoder, names)


def find_source(name: str) -> str:
    """The folder or hub id behind the name of a model; "tiny" is the shipped one.

    Raises:
        ModelMissingError: If this installation does not hold the shipped one.
    """
    return str(find_base(name)) if is_shipped(name) else name


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
    if IMAGE_TOKEN not in tokenizer.get_vocab():  # an empty one is made where there is none
        raise _refuse(source, "tokenizer", ValueError(f"it does not know {IMAGE_TOKEN}."))
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
    from transformers import AutoConfig, AutoModelForImageTextToText, GenerationConfig

    if not is_somewhere(source):
        raise _refuse(source, "model", ValueError("no such folder, and a hub id is OWNER/NAME."))
    try:
        kind = AutoConfig.from_pretrained(source).model_type
    except Exception as error:
        raise _refuse(source, "model", error) from error
    if kind not in KINDS:
        raise ModelMissingError(
            f"{source} is a {kind} model, no Qwen2.5-VL or Qwen2-VL.",
            next_step="Name one of those, e.g. vlm:Qwen/Qwen2.5-VL-3B-Instruct, or serve this one "
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
    # A hub's own ways of writing (temperature, penalties) would mix with those asked for.
    model.generation_config = GenerationConfig()
    if device.type == "cpu":
        group_attention(model)
    return model


def _refuse(source: str, what: str, error: Exception) -> ModelMissingError:
    place = f"in the folder {source}" if Path(source).is_dir() else f"under the name {source}"
    return ModelMissingError(
        f"No usable {what} {place}: {tell_first_line(error)}",
        next_step="Name a folder with config.json, model.safetensors, tokenizer.json and "
        "preprocessor_config.json, or a hub id that can be reached; `vlm:tiny` is shipped.",
    )


def find_settings(source: str, adapters: tuple[str, ...]) -> VlmSettings:
    """Those saved with the first adapter that has some, else with the model, else the defaults."""
    for place in (*adapters, source):
        path = find_file(place, FILE_NAME)
        found = read_vlm_settings(path.parent) if path else None
        if found is not None:
            return found
    return VlmSettings()


def _choose_device(wanted: str) -> torch.device:
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise ConfigError(
            f"Unknown device {wanted!r}.", next_step="Use auto, cpu, cuda or cuda:1."
        ) from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ResourceMissingError(
            f"There is no device {wanted}: {torch.cuda.device_count()} CUDA devices were found.",
            next_step="Use --device auto or --device cpu.",
        )
    return device


def _choose_dtype(placement: Placement, device: torch.device) -> Any:
    if placement.dtype != "auto":
        return getattr(torch, placement.dtype)
    return torch.float32 if device.type == "cpu" else "auto"


def _quantise(bits: str) -> Any:
    import importlib.util

    from transformers import BitsAndBytesConfig

    missing = [n for n in ("bitsandbytes", "accelerate") if importlib.util.find_spec(n) is None]
    if missing:
        raise ResourceMissingError(
            f"--load-in {bits} needs {' and '.join(missing)}, not installed here.",
            next_step=f"Install with: pip install {' '.join(missing)}, or leave --load-in out.",
        )
    return BitsAndBytesConfig(**{f"load_in_{bits}": True})
