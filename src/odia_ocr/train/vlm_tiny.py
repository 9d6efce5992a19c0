"""A small Qwen2.5-VL: the same architecture and code path as the real one, with few weights.

Its tokenizer is a byte-level BPE, as the real one, in which each symbol of the alphabet is one
token.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from odia_ocr.language import ALPHABET
from odia_ocr.recognize.vlm.alphabet_guard import bytes_to_signs
from odia_ocr.recognize.vlm.inputs import IMAGE_TOKEN
from odia_ocr.recognize.vlm.settings import PATCH, VlmSettings

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, Qwen2_5_VLForConditionalGeneration

_PAD, _TURN_START, _TURN_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
_VISION_START, _VISION_END, _VIDEO = "<|vision_start|>", "<|vision_end|>", "<|video_pad|>"
SPECIAL = (_PAD, _TURN_START, _TURN_END, _VISION_START, _VISION_END, IMAGE_TOKEN, _VIDEO)
# Roles are one letter here: a word of nine letters would be nine tokens of every sequence.
CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'][0] }}\n"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for c in m['content'] %}"
    "{% if c['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif c['type'] == 'text' %}{{ c['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>a\n{% endif %}"
)
TINY_SETTINGS = VlmSettings(
    prompt="OCR",
    line_height=2 * PATCH,
    min_pixels=2 * PATCH * PATCH,  # a single letter must keep the height of a line
    max_pixels=240 * PATCH * PATCH,
    max_tokens=512,
)


@dataclass(frozen=True, slots=True)
class TinyShape:
    """Sizes of the small model.

    Attributes:
        width: Of the language model.
        layers: Of the language model.
        heads: Of the language model, `width / heads` is divisible by 8.
        key_heads: Key and value heads, fewer than `heads`.
        inner: Width inside its MLPs.
        sight: Width of the vision tower.
        sight_layers: Layers of the vision tower; every second one sees the whole picture.
        sight_heads: Heads of the vision tower.
        sight_inner: Width inside its MLPs.
    """

    width: int = 192
    layers: int = 4
    heads: int = 6
    key_heads: int = 2
    inner: int = 512
    sight: int = 160
    sight_layers: int = 4
    sight_heads: int = 5
    sight_inner: int = 384


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level BPE whose merges join the bytes of a symbol, and nothing else."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    signs = bytes_to_signs()
    pieces = dict.fromkeys(signs)  # ordered, without doubles
    merges: dict[tuple[str, str], None] = {}
    for symbol in ALPHABET.symbols:
        joined = ""
        for byte in symbol.encode():
            if joined:
                merges[joined, signs[byte]] = None
            joined += signs[byte]
            pieces[joined] = None
    names = [*SPECIAL, *pieces]
    vocab = {name: i for i, name in enumerate(names)}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=list(merges)))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    made = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=_TURN_END,
        pad_token=_PAD,
        additional_special_tokens=list(SPECIAL[1:]),
        padding_side="left",
    )
    made.chat_template = CHAT_TEMPLATE
    return made


def make_image_processor(settings: VlmSettings) -> Any:
    """The image processor of Qwen2-VL without torchvision, with the limits of `settings`."""
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import (
        Qwen2VLImageProcessorPil,
    )

    return Qwen2VLImageProcessorPil(
        size={"shortest_edge": settings.min_pixels, "longest_edge": settings.max_pixels}
    )


def make_model(
    tokenizer: PreTrainedTokenizerFast, shape: TinyShape
) -> Qwen2_5_VLForConditionalGeneration:
    """A model with random weights, float32, from torch's present seed."""
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in SPECIAL}
    half = shape.width // shape.heads // 2
    sides = half * 3 // 8
    config = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": shape.width,
            "intermediate_size": shape.inner,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "num_key_value_heads": shape.key_heads,
            "max_position_embeddings": 2048,
            "rope_parameters": {
                "rope_type": "default",
                "mrope_section": [half - 2 * sides, sides, sides],
                "rope_theta": 10000.0,
            },
            "bos_token_id": None,
            "eos_token_id": ids[_TURN_END],
            "pad_token_id": ids[_PAD],
        },
        vision_config={
            "depth": shape.sight_layers,
            "hidden_size": shape.sight,
            "intermediate_size": shape.sight_inner,
            "num_heads": shape.sight_heads,
            "out_hidden_size": shape.width,
            "patch_size": PATCH // 2,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "window_size": 4 * PATCH,
            "fullatt_block_indexes": list(range(1, shape.sight_layers, 2)),
        },
        image_token_id=ids[IMAGE_TOKEN],
        video_token_id=ids[_VIDEO],
        vision_start_token_id=ids[_VISION_START],
        vision_end_token_id=ids[_VISION_END],
        tie_word_embeddings=True,
    )
    return Qwen2_5_VLForConditionalGeneration(config)
