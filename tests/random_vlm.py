"""A small vision-language model of random weights, as a folder that can be opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from odia_ocr.train.vlm_tiny import (
    TINY_SETTINGS,
    TinyShape,
    make_image_processor,
    make_model,
    make_tokenizer,
)

SHAPE = TinyShape(
    width=32,
    layers=2,
    heads=2,
    key_heads=1,
    inner=64,
    sight=32,
    sight_layers=2,
    sight_heads=2,
    sight_inner=64,
)


def make_random_model(seed: int = 5) -> Any:
    """Decided about what it writes, and likely to end a text: the end of a turn weighs more."""
    torch.manual_seed(seed)
    tokenizer = make_tokenizer()
    model = make_model(tokenizer, SHAPE)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(8)
        model.get_input_embeddings().weight[tokenizer.eos_token_id] *= 3
    return model.eval()


def make_random_qwen2(seed: int = 5) -> Any:
    """A Qwen2-VL of the same size: no windows in its vision tower, whose MLPs are fc1 and fc2."""
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

    like = make_random_model(seed)
    text = like.config.text_config.to_dict()
    names = ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")
    config = Qwen2VLConfig(
        text_config={key: value for key, value in text.items() if key != "model_type"},
        vision_config={
            "depth": SHAPE.sight_layers,
            "embed_dim": SHAPE.sight,
            "hidden_size": SHAPE.width,
            "num_heads": SHAPE.sight_heads,
            "mlp_ratio": 2,
        },
        **{name: getattr(like.config, name) for name in names},
        tie_word_embeddings=True,
    )
    model = Qwen2VLForConditionalGeneration(config)
    model.model.language_model.load_state_dict(like.model.language_model.state_dict())
    return model.eval()


def save_random_base(folder: Path) -> Path:
    return save_base(make_random_model(), folder)


def save_base(model: Any, folder: Path) -> Path:
    """A model as a folder that `open_vlm` opens."""
    model.save_pretrained(folder)
    make_tokenizer().save_pretrained(folder)
    make_image_processor(TINY_SETTINGS).save_pretrained(folder)
    TINY_SETTINGS.save(folder)
    return folder
