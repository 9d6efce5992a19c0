"""Build the wheel, install it alone into an empty environment, and read the sample page with it.

Fails when the wheel is too large, when a heavy library came along, or when the text is wrong.
The reading itself runs with the network switched off where the system allows it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LARGEST = 35_000_000  # bytes
HEAVY = ("torch", "transformers", "cv2", "scipy", "matplotlib", "ray", "fastapi")


def run(*command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Run a command; on failure show what it said and stop."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def offline_prefix() -> list[str]:
    """A command prefix that takes the network away, or nothing where that is not allowed."""
    unshare = shutil.which("unshare")
    if unshare:
        probe = subprocess.run([unshare, "-rn", "true"], capture_output=True, check=False)
        if probe.returncode == 0:
            return [unshare, "-rn"]
    return []


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", folder, ROOT)
        (wheel,) = folder.glob("*.whl")
        size = wheel.stat().st_size
        if size > LARGEST:
            sys.exit(f"{wheel.name} has {size / 1e6:.1f} MB, more than {LARGEST / 1e6:.0f}.")
        venv.create(folder / "env", with_pip=True)
        python = folder / "env" / "bin" / "python"
        run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
        probe = f"import importlib.util as u; print([m for m in {HEAVY!r} if u.find_spec(m)])"
        heavy = run(python, "-c", probe).strip()
        if heavy != "[]":
            sys.exit(f"The light install brought heavy libraries: {heavy}")
        prefix = offline_prefix()
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        command = folder / "env" / "bin" / "odia-ocr"
        text = run(
            *prefix, command, "read", ROOT / "samples" / "page.png", cwd=folder, env=environment
        )
        measure = (
            "import sys; from odia_ocr.language import count_edits, fold; "
            "e = count_edits(fold(sys.argv[1]), fold(sys.argv[2])); print(e.rate)"
        )
        truth = (ROOT / "samples" / "page.gt.txt").read_text(encoding="utf-8")
        rate = float(run(python, "-c", measure, truth, text))
        if rate > 0.05:
            sys.exit(f"The sample page came out with CER {rate:.1%}:\n{text}")
        where = "without network" if prefix else "(network not switched off: not permitted here)"
        print(f"wheel {size / 1e6:.1f} MB, read {where}, sample CER {rate:.2%}")


if __name__ == "__main__":
    main()
