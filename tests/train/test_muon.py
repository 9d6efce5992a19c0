"""Muon against the exact polar factor, and which weights it takes."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from odia_ocr.train.ctc_model import CtcArchitecture, CtcModel  # noqa: E402
from odia_ocr.train.muon import Muon, make_optimizers, orthogonalise  # noqa: E402


@pytest.mark.parametrize("shape", [(3, 8, 20), (1, 20, 8), (2, 12, 12)])
def test_the_result_is_close_to_the_polar_factor(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    matrices = torch.randn(shape)
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    made = orthogonalise(matrices).float()
    assert made.shape == matrices.shape
    values = torch.linalg.svdvals(made)
    assert float(values.min()) > 0.6
    assert float(values.max()) < 1.3
    exact = left @ right
    cosine = (made * exact).sum() / (made.norm() * exact.norm())
    assert float(cosine) > 0.97


def test_parts_are_made_orthogonal_each_by_itself() -> None:
    torch.manual_seed(1)
    start = torch.randn(8, 6)
    gradient = torch.randn(8, 6)

    def step(rows: torch.Tensor, slope: torch.Tensor, parts: int) -> torch.Tensor:
        weight = torch.nn.Parameter(rows.clone())
        weight.grad = slope.clone()
        Muon([{"params": [weight], "parts": parts}], 0.1).step()
        return weight.detach()

    whole = step(start, gradient, 2)
    halves = torch.cat([step(start[:4], gradient[:4], 1), step(start[4:], gradient[4:], 1)])
    assert torch.allclose(whole, halves, atol=1e-6)
    assert not torch.allclose(whole, step(start, gradient, 1), atol=1e-4)


def test_weight_decay_shrinks_without_a_gradient_direction() -> None:
    weight = torch.nn.Parameter(torch.ones(4, 4))
    weight.grad = torch.zeros(4, 4)
    Muon([{"params": [weight], "parts": 1}], 0.1, weight_decay=0.5).step()
    assert torch.allclose(weight.detach(), torch.full((4, 4), 0.95))


def test_every_weight_has_one_optimizer_and_matrices_have_muon() -> None:
    model = CtcModel(CtcArchitecture(channels=(4, 8, 8, 8), blocks=(1, 1), width=16, hidden=8))
    muon, adamw = make_optimizers(model, kind="muon", rate=0.1, decay=0.0)
    taken = [id(p) for o in (muon, adamw) for g in o.param_groups for p in g["params"]]
    assert sorted(taken) == sorted(id(p) for p in model.parameters())
    by_muon = {id(p): g["parts"] for g in muon.param_groups for p in g["params"]}
    names = {name: by_muon.get(id(p)) for name, p in model.named_parameters()}
    assert names["mixer.weight_hh_l0"] == 4
    assert names["project.weight"] == 1
    assert names["head.weight"] is None
    assert names["mixer.bias_hh_l0"] is None
    depthwise = [n for n, p in model.named_parameters() if p.ndim == 4 and p.shape[1] == 1]
    assert any("inner" in name for name in depthwise)
    assert all(names[name] is None for name in depthwise)
    (only,) = make_optimizers(model, kind="adamw", rate=0.1, decay=0.0)
    assert len(only.param_groups[0]["params"]) == len(taken)
