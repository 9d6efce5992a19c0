from __future__ import annotations

from dataclasses import replace

import pytest

from odia_ocr.apps.batch.simulation import Rates, estimate, most_workers, simulate

RATES = Rates(
    page_seconds=(0.5, 1.0, 1.5),
    head_seconds=0.001,
    closing_seconds=0.0001,
    start_seconds=5.0,
    page_bytes=1e6,
)


def test_few_workers_read_all_the_time():
    found = simulate(RATES, 10)
    assert found.pages_per_second == pytest.approx(10, rel=0.03)
    assert found.workers > 0.98
    assert found.limit == "workers"


def test_the_head_limits_what_many_workers_do():
    found = simulate(RATES, 3000)
    assert found.pages_per_second == pytest.approx(1000, rel=0.01)
    assert found.workers == pytest.approx(1 / 3, rel=0.05)
    assert found.limit == "head"
    assert most_workers(RATES) == 1000


def test_shared_storage_limits_before_the_head():
    slow = replace(RATES, storage=100e6)
    found = simulate(slow, 1000)
    assert found.pages_per_second == pytest.approx(100, rel=0.01)
    assert found.limit == "storage"


def test_a_page_at_hand_hides_what_the_head_takes():
    alone = simulate(replace(RATES, page_seconds=(1.0,), head_seconds=0.5), 1)
    assert alone.pages_per_second == pytest.approx(1.0, rel=0.01)


def test_hours_and_cost_of_a_collection():
    found = estimate(RATES, 1_000_000, machines=10, workers=10, price=2.0)
    assert found.hours == pytest.approx((10_000 + 100 + 5) / 3600, rel=0.02)
    assert found.machine_hours == pytest.approx(10 * found.hours)
    assert found.cost == pytest.approx(2 * found.machine_hours)
    assert estimate(RATES, 1000, machines=1, workers=1).cost is None


def test_a_batch_a_machine_has_a_head_each():
    one = estimate(RATES, 10**7, machines=400, workers=10)
    many = estimate(RATES, 10**7, machines=400, workers=10, batches=400)
    assert (one.limit, many.limit) == ("head", "workers")
    assert many.hours < one.hours / 3
    full = replace(RATES, storage=1e9)
    assert estimate(full, 10**7, machines=400, workers=10, batches=400).limit == "storage"
