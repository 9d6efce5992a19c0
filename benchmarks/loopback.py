"""A server on the loopback device for measurements: started, watched, killed and looked into."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

LONGEST = 600.0  # seconds for one request or job


@dataclass
class Served:
    """A running server.

    Attributes:
        process: The server itself.
        client: Calls it; safe to use from several threads.
    """

    process: subprocess.Popen[str]
    client: httpx2.Client

    def resident_bytes(self) -> int:
        """Resident memory of the server's process; Linux only."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def wait_for_job(self, job_id: str) -> str:
        """The state in which a job ended.

        Raises:
            TimeoutError: If it did not end.
        """
        deadline = time.monotonic() + LONGEST
        while time.monotonic() < deadline:
            state = str(self.client.get(f"/v1/jobs/{job_id}").json()["state"])
            if state not in ("queued", "running"):
                return state
            time.sleep(0.05)
        raise TimeoutError(f"job {job_id} did not end in {LONGEST:g} seconds")

    def wait_until_ready(self) -> None:
        """Until the models are open.

        Raises:
            TimeoutError: If they are not.
        """
        deadline = time.monotonic() + LONGEST
        while self.client.get("/readyz").status_code != 200:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no models in {LONGEST:g} seconds")
            time.sleep(0.05)


def start_server(folder: Path, *options: str) -> Served:
    """Start a server on a free port; see `stop_server`."""
    command = [sys.executable, "-m", "odia_ocr", "serve", "--port", "0", "--folder", str(folder)]
    process = subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    first = process.stderr.readline()
    try:
        url = json.loads(first)["url"]
    except (ValueError, KeyError):
        process.kill()
        raise RuntimeError(f"the server did not start: {first}{process.stderr.read()}") from None
    # The log is read away, or it would fill its pipe.
    threading.Thread(target=process.stderr.read, daemon=True).start()
    return Served(process, httpx2.Client(base_url=url, timeout=LONGEST))


def stop_server(served: Served) -> None:
    """Let a server finish what runs, and end."""
    served.client.close()
    served.process.terminate()
    served.process.wait()


@contextmanager
def run_server(folder: Path, *options: str) -> Iterator[Served]:
    """A server with its models open, stopped at the end."""
    served = start_server(folder, *options)
    try:
        served.wait_until_ready()
        yield served
    finally:
        stop_server(served)


def count_left_behind(folder: Path) -> int:
    """Files of jobs in a server's private folder."""
    return sum(path.is_file() for path in (folder / "jobs").rglob("*"))
