"""Attention over chunks of one length at once is the library's attention."""

from __future__ import annotations

import copy

import pytest
import torch

from odia_ocr.recognize.vlm.attention import group_attention
from random_vlm import make_random_model

# (t, h, w) patches: whole windows, parts of windows, several pictures of one batch.
BATCHES = [
    [(1, 4, 8)],
    [(1, 4, 22), (1, 4, 6)],
    [(1, 12, 10), (1, 2, 2), (1, 4, 18), (1, 12, 10)],
]


@pytest.mark.parametrize("grids", BATCHES, ids=["one", "two", "four"])
def test_features_and_gradients_are_those_of_the_library(grids: list[tuple[int, int, int]]) -> None:
    theirs = make_random_model().model.visual
    theirs.config._attn_implementation = "eager"
    ours = group_attention(copy.deepcopy(theirs))
    torch.manual_seed(1)
    pixels = torch.randn(sum(t * h * w for t, h, w in grids), 1176)
    found = []
    for tower in (theirs, ours):
        given = pixels.clone().requires_grad_()
        features = tower(given, grid_thw=torch.tensor(grids)).pooler_output
        (features * torch.linspace(-1, 1, features.shape[1])).sum().backward()
        weights = {name: p.grad for name, p in tower.named_parameters() if p.grad is not None}
        found.append((features, given.grad, weights))
    (a, da, wa), (b, db, wb) = found
    assert torch.allclose(a, b, rtol=1e-4, atol=1e-4)
    assert torch.allclose(da, db, rtol=1e-3, atol=1e-4)
    assert wa.keys() == wb.keys()
    for name, gradient in wa.items():
        scale = float(gradient.abs().max())
        assert torch.allclose(gradient, wb[name], rtol=1e-3, atol=1e-4 * max(1.0, scale)), name
