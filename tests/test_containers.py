"""The image and the compose file, by their linters and by what they promise."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = ROOT / "Dockerfile"
# Also where the tests are run by the interpreter's path alone.
HADOLINT = shutil.which(
    "hadolint", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
)


@pytest.mark.skipif(HADOLINT is None, reason="hadolint is not installed")
def test_hadolint_finds_nothing() -> None:
    command = [str(HADOLINT), "--failure-threshold", "style", str(DOCKERFILE)]
    linted = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (linted.returncode, linted.stdout) == (0, "")


def fill_in(text: str) -> str:
    """A compose file with the defaults of its variables, as Compose reads it."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


@pytest.fixture
def services() -> dict[str, dict[str, Any]]:
    return yaml.safe_load(fill_in((ROOT / "compose.yaml").read_text("utf-8")))["services"]


def test_the_compose_file_follows_its_specification() -> None:
    compose_spec = pytest.importorskip("compose_spec")
    parsed = compose_spec.PyCompose.from_yaml(fill_in((ROOT / "compose.yaml").read_text("utf-8")))
    assert sorted(parsed.service_names()) == ["batch", "serve"]
    with pytest.raises(ValueError, match="read_only"):
        compose_spec.PyCompose.from_yaml("services: {serve: {image: x, read_only: maybe}}")


def test_services_have_no_more_rights_than_they_need(services: dict[str, dict[str, Any]]) -> None:
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        assert service["tmpfs"] == ["/tmp"]
        assert "privileged" not in service
    assert services["serve"]["ports"] == ["127.0.0.1:8000:8000"]
    assert services["batch"]["network_mode"] == "none"
    assert any(volume.endswith(":/in:ro") for volume in services["batch"]["volumes"])


def test_the_image_is_no_roots_and_has_a_health_check() -> None:
    last_stage = DOCKERFILE.read_text("utf-8").split("\nFROM ")[-1]
    user = re.search(r"^USER (\d+):(\d+)$", last_stage, re.MULTILINE)
    assert user is not None
    assert int(user[1]) > 0
    assert "HEALTHCHECK" in last_stage
    assert "/healthz" in last_stage
    assert re.search(r'^CMD \["serve", "--host", "0\.0\.0\.0"', last_stage, re.MULTILINE)


def test_the_build_gets_all_that_it_copies() -> None:
    """`.dockerignore` leaves everything out but what it names."""
    let_in = set((ROOT / ".dockerignore").read_text("utf-8").split())
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.read_text("utf-8"), re.MULTILINE)
    names = [name for line in copied for name in line.split()]
    assert "src" in names
    for name in names:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in let_in, name
