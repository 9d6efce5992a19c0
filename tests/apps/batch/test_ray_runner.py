"""Batches on a local Ray cluster, with a stand-in for reading."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import stand_ins
from batch_files import done_pages, outputs, put, states
from stand_ins import PAGES, run

from odia_ocr.apps.batch import ray_runner
from odia_ocr.apps.batch.plan import RayPlan
from odia_ocr.apps.batch.runner import Task
from odia_ocr.errors import ModelMissingError, ResourceMissingError, UsageError

HERE = Path(stand_ins.__file__).parent


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder; actors find the stand-ins."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), *sys.path]))
    (tmp_path / "log").mkdir()
    (tmp_path / "in").mkdir()
    return tmp_path


def attempts(log, name):
    return [len((log / f"{name}-{number}").read_text()) for number in range(1, PAGES + 1)]


@pytest.mark.slow
def test_pages_are_read_once_and_a_page_that_kills_its_worker_is_set_aside(folder, capsys):
    put(folder, "good.pdf", "crash.pdf", "raise.pdf", "once.pdf")
    out, log = folder / "out", folder / "log"
    assert run(out, [folder / "in"], log, tries=2, ray=RayPlan(fewest=1)) == 1
    found = states(out)
    assert len(found) == 4 * PAGES
    aside = {page for page, state in found.items() if state != "done"}
    assert aside == {("crash.pdf", 2), ("raise.pdf", 2)}
    assert attempts(log, "good.pdf") == [1] * PAGES
    assert attempts(log, "once.pdf") == [1, 2, 1, 1]
    # The first time another page may have been with the same worker, which tells of neither.
    assert 2 <= attempts(log, "crash.pdf")[1] <= 3
    assert capsys.readouterr().out == ""


def test_without_ray_the_extra_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ResourceMissingError) as told:
        run(folder / "out", [folder / "in"], folder / "log", ray=RayPlan())
    assert "odia-ocr[ray]" in told.value.next_step
    assert not (folder / "out").exists()


def test_an_address_of_a_ray_client_is_refused(folder):
    with pytest.raises(UsageError, match="Ray Client"):
        run(folder / "out", [folder / "in"], folder / "log", ray=RayPlan("ray://here:10001"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "error", "told"),
    [("missing", ModelMissingError, "No model"), ("dies", ResourceMissingError, "died .* 3 times")],
)
def test_without_models_the_batch_ends(folder, fault, error, told):
    put(folder, "a.pdf")
    with pytest.raises(error, match=told):
        run(folder / "out", [folder / "in"], folder / "log", fault=fault, ray=RayPlan())


@pytest.mark.slow
def test_the_pool_follows_the_work(folder, monkeypatch):
    monkeypatch.setattr(ray_runner, "_IDLE_SECONDS", 0.5)
    open_work = stand_ins.OpenStandIn(folder / "log")
    with ray_runner.RayRunner(open_work, fewest=1, most=3, page_seconds=60.0) as runner:
        tasks = [Task(1, "a", Path(f"a-{number}"), number) for number in (1, 3)] * 10
        runner.submit(tasks[0])
        assert runner.size == 1
        begun = 1
        while begun < len(tasks) or runner.is_busy:
            while begun < len(tasks) and runner.has_room:
                runner.submit(tasks[begun])
                begun += 1
            if begun <= 7:
                assert runner.size == 3
            runner.wait()
        runner.submit(Task(1, "hang", Path("hang"), 2))
        runner.submit(Task(1, "hang", Path("hang"), 2))
        wait_until(lambda: (folder / "log" / "hang-2").exists() and shrink(runner))


def shrink(runner):
    """Let the runner look at its actors once; has it let go of those without work?"""
    runner._shrink()
    return runner.size <= 2


@pytest.mark.slow
def test_a_page_that_hangs_is_given_up(folder):
    put(folder, "hang.pdf", "good.pdf")
    out = folder / "out"
    options = {"page_seconds": 2.0, "tries": 1, "ray": RayPlan()}
    assert run(out, [folder / "in"], folder / "log", **options) == 1
    aside = {page for page, state in states(out).items() if state == "quarantined"}
    assert aside == {("hang.pdf", 2)}


def test_no_cluster_at_the_address(folder):
    put(folder, "a.pdf")
    with pytest.raises(ResourceMissingError, match=r"no Ray cluster.*127\.0\.0\.1:9"):
        run(folder / "out", [folder / "in"], folder / "log", ray=RayPlan("127.0.0.1:9"))


def wait_until(holds, *, seconds=120.0):
    until = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.02)
    return found


def begin(folder, out, log, *, address="local", **environment):
    command = [sys.executable, stand_ins.__file__, str(out), str(log), "2", str(folder / "in")]
    return subprocess.Popen(command, env={**os.environ, "RAY": address, **environment})


def find_processes(mark):
    """Process ids of what was started with a mark in its command line."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended
            if mark.encode() in (place / "cmdline").read_bytes():
                found.append(int(place.name))
    return found


@contextlib.contextmanager
def head(port):
    """A cluster of one machine with two cores; it is killed at the end, if not before."""
    scratch = tempfile.mkdtemp(prefix="odia-ray-")
    options = f"--head --num-cpus 2 --port {port} --include-dashboard false --temp-dir {scratch}"
    ray = Path(sys.executable).with_name("ray")
    command = [ray, "start", *options.split(), "--node-ip-address", "127.0.0.1"]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        yield scratch
    finally:
        kill_all(scratch)
        shutil.rmtree(scratch, ignore_errors=True)


def kill_all(mark):
    while processes := find_processes(mark):
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.05)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


DOCUMENTS = 60


@pytest.fixture
def whole(folder):
    """What an undisturbed run in processes writes."""
    put(folder, *(f"slow-{i}.pdf" for i in range(DOCUMENTS)))
    (folder / "log-whole").mkdir()
    assert run(folder / "whole", [folder / "in"], folder / "log-whole") == 0
    return outputs(folder / "whole")


@pytest.mark.slow
def test_killed_workers_lose_no_page(folder, whole):
    out, log, workers = folder / "out", folder / "log", folder / "workers"
    workers.mkdir()
    draw = random.Random(7)
    batch = begin(folder, out, log)
    killed = []
    for _ in range(3):
        pages = done_pages(log)
        wait_until(lambda pages=pages: done_pages(log) > pages)
        living = [int(path.name) for path in workers.iterdir() if int(path.name) not in killed]
        time.sleep(draw.uniform(0, 0.2))
        killed.append(draw.choice(living))
        os.kill(killed[-1], signal.SIGKILL)
    assert batch.wait(timeout=300) == 0
    assert outputs(out) == whole
    assert set(states(out).values()) == {"done"}
    # Each took at most what it read and what lay ready for it.
    assert done_pages(log) <= DOCUMENTS * PAGES + 2 * len(killed)


@pytest.mark.slow
def test_after_the_loss_of_the_head_the_batch_goes_on(folder, whole):
    out, log, port = folder / "out", folder / "log", free_port()
    with head(port) as scratch:
        batch = begin(
            folder,
            out,
            log,
            address=f"127.0.0.1:{port}",
            RAY_gcs_rpc_server_reconnect_timeout_s="3",
        )
        wait_until(lambda: done_pages(log) > DOCUMENTS)
        kill_all(scratch)
        assert batch.wait(timeout=300) != 0
    begun = done_pages(log)
    assert begun < DOCUMENTS * PAGES
    with head(port):
        batch = begin(folder, out, log, address=f"127.0.0.1:{port}")
        assert batch.wait(timeout=300) == 0
    assert outputs(out) == whole
    assert set(states(out).values()) == {"done"}
    assert done_pages(log) <= DOCUMENTS * PAGES + 2 * 2
