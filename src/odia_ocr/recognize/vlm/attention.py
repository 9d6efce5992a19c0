"""Attention of the vision tower over chunks of equal length at once.

Without a fused kernel the library attends within each window and each picture in turn; on a CPU a
batch of lines then costs hundreds of small calls a layer. Here chunks of one length go together,
with the same result.
"""

from __future__ import annotations

import itertools
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn


def group_attention(model: Any) -> Any:
    """Let the vision tower attend to chunks of one length at once; returns `model`."""
    from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLVisionAttention

    for module in model.modules():
        if isinstance(module, Qwen2_5_VLVisionAttention):
            module.forward = MethodType(_attend, module)
    return model


def _attend(
    self: Any,
    hidden_states: Tensor,
    cu_seqlens: Tensor,
    position_embeddings: tuple[Tensor, Tensor],
    **_: Any,
) -> Tensor:
    """As the library does; hidden_states (patches, d), chunks end at cu_seqlens."""
    from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import apply_rotary_pos_emb_vision

    count = len(hidden_states)
    shaped = self.qkv(hidden_states).reshape(count, 3, self.num_heads, -1)
    query, key, value = shaped.permute(1, 0, 2, 3).unbind(0)  # each (patches, heads, d)
    query, key = apply_rotary_pos_emb_vision(query, key, *position_embeddings)
    bounds = cu_seqlens.tolist()
    chunks: dict[int, list[int]] = {}
    for start, end in itertools.pairwise(bounds):
        chunks.setdefault(end - start, []).append(start)
    made = torch.empty_like(value)
    for length, starts in chunks.items():
        at = torch.tensor(starts, device=value.device)[:, None] + torch.arange(
            length, device=value.device
        )
        parts = (x[at].transpose(1, 2) for x in (query, key, value))  # (chunks, heads, length, d)
        attended = _mix(*parts, scale=self.scaling)
        made = made.index_put((at,), attended.transpose(1, 2).to(made.dtype))
    projected: Tensor = self.proj(made.reshape(count, -1))
    return projected


def _mix(query: Tensor, key: Tensor, value: Tensor, *, scale: float) -> Tensor:
    """Attention of (chunks, heads, length, d); the fused kernel learns slowly on a CPU."""
    if query.device.type != "cpu":
        return nn.functional.scaled_dot_product_attention(query, key, value, scale=scale)
    weights = (query @ key.mT * scale).float().softmax(-1)
    return weights.to(value.dtype) @ value
