"""Arithmetic of small factors is that of the whole product."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from odia_ocr.errors import ModelMissingError  # noqa: E402
from odia_ocr.train.adapters.deltas import (  # noqa: E402
    compare_outputs,
    decompose,
    join_factors,
    measure_layer,
)
from odia_ocr.train.adapters.export import even_out  # noqa: E402
from odia_ocr.train.adapters.merge import add_layer  # noqa: E402
from odia_ocr.train.adapters.stored import LoraLayer  # noqa: E402

SIZES = st.integers(1, 9)


def _layer(out: int, into: int, rank: int, scaling: float = 1.5, seed: int = 0) -> LoraLayer:
    drawn = torch.Generator().manual_seed(seed)
    down, up = torch.randn(rank, into, generator=drawn), torch.randn(out, rank, generator=drawn)
    return LoraLayer("x", down, up, scaling)


def _whole(layer: LoraLayer):
    return layer.scaling * layer.up.double() @ layer.down.double()


@settings(max_examples=25)
@given(SIZES, SIZES, SIZES, SIZES, st.floats(0.01, 3))
def test_a_sum_and_its_decomposition(out, into, first, second, share) -> None:
    one, two = _layer(out, into, first), _layer(out, into, second, 0.25, seed=1)
    wanted = share * _whole(one) + (1 - share) * _whole(two)
    up, down = join_factors([(share, one), (1 - share, two)])
    assert torch.allclose(up @ down, wanted)
    found = decompose(up, down)
    assert torch.allclose(found.left * found.values @ found.right, wanted)
    assert found.rank <= min(out, into, first + second)
    values = torch.linalg.svdvals(wanted)
    assert torch.allclose(found.values[: len(values)], values[: len(found.values)], atol=1e-9)
    assert measure_layer(one) == pytest.approx(float(_whole(one).norm()))


def test_ranks_and_nothing() -> None:
    layer = _layer(8, 6, 2)
    assert decompose(*join_factors([(0.5, layer), (0.5, layer)])).rank == 2
    none = LoraLayer("x", layer.down, torch.zeros_like(layer.up), 1.0)
    assert measure_layer(none) == 0.0
    assert decompose(*join_factors([(1.0, none)])).rank == 1
    assert compare_outputs(none, none) == 0.0
    assert compare_outputs(layer, none) == pytest.approx(1.0)


def test_one_rank_and_scaling_for_all() -> None:
    layers = (_layer(5, 4, 2, 0.5), _layer(5, 4, 3, 2.0))
    even = even_out(layers)
    assert [(layer.rank, layer.scaling) for layer in even] == [(3, 1.0), (3, 1.0)]
    assert all(compare_outputs(a, b) < 1e-7 for a, b in zip(layers, even, strict=True))
    assert even_out(even) is even


def test_weights_that_cannot_take_the_sum() -> None:
    layer = _layer(4, 4, 2)
    with pytest.raises(ModelMissingError, match="stored as int8: the model is quantised"):
        add_layer(torch.zeros(4, 4, dtype=torch.int8), layer)
    with pytest.raises(ModelMissingError, match="too large for float16"):
        add_layer(torch.full((4, 4), 65500.0).half(), _layer(4, 4, 2, 1e5))
