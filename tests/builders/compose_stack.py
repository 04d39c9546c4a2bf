"""The stack of docker-compose.yml under a project name of its own, with Compose v2 or docker-compose 1.29."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import boto3
import pytest
from botocore.config import Config

ROOT = Path(__file__).parents[2]
_IMAGES = (
    *("python:3.11-slim-bookworm", "eclipse-mosquitto:2", "postgres:17", "chrislusf/seaweedfs:latest"),
    "nginx:1-bookworm",
)
PORTS = {
    "S3_PORT": "18333",
    "BROKER_PORT": "18883",
    "ENROLMENT_PORT": "18443",
    "GATEWAY_PORT": "18440",
    "IDENTITY_PORT": "18731",
}
"""Not the defaults, so that the test runs beside a stack that somebody looks at."""


def require_docker() -> list[str]:
    """The compose command; skips without an engine or its images (REQUIRE_DOCKER=1 fails)."""
    command = _compose_command()
    if command is None or _run(["docker", "info"]).returncode != 0:
        _skip("no Docker engine answers here, or there is no compose command")
    for image in _IMAGES:
        if (
            _run(["docker", "image", "inspect", image]).returncode
            and _run(["docker", "pull", image]).returncode
        ):
            _skip(f"the Docker engine has no image {image} and cannot pull it")
    assert command is not None
    return command


def _compose_command() -> list[str] | None:
    if shutil.which("docker") and _run(["docker", "compose", "version"]).returncode == 0:
        return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else None


def _skip(reason: str) -> None:
    if os.environ.get("REQUIRE_DOCKER") == "1":
        pytest.fail(f"{reason} (not skipped: REQUIRE_DOCKER is set)", pytrace=False)
    pytest.skip(f"{reason}: the compose stack is not tested")


def _run(command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


class ComposeStack:
    """Up on entry, gone with all its volumes on exit."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = [*command, "--project-name", f"topscoop-test-{os.getpid()}"]
        self._environment = {**os.environ, **PORTS}

    def __enter__(self) -> Self:
        try:
            self.compose("up", "--detach", "--build", timeout=1200)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.compose("down", "--volumes", "--timeout", "5", timeout=180)

    def compose(self, *words: str, timeout: float = 180, standard_input: str | None = None) -> str:
        """Run a compose command; its standard output. A failure is an AssertionError with what it printed."""
        ended = _run(
            [*self._command, *words], cwd=ROOT, env=self._environment, timeout=timeout, input=standard_input
        )
        assert ended.returncode == 0, f"{' '.join(words)}:\n{ended.stdout[-4000:]}\n{ended.stderr[-4000:]}"
        return ended.stdout

    def topscoop(self, service: str, *words: str, standard_input: str | None = None) -> Any:
        """What `topscoop … --json` prints inside a service's container."""
        command = ("exec", "-T", service, "topscoop", *words, "--json")
        return json.loads(self.compose(*command, standard_input=standard_input))

    def gateway_ca(self, folder: Path) -> Path:
        """The authority of the gateway's certificate."""
        authority = folder / "topscoop-ca.crt"
        container = self.compose("ps", "-q", "gateway").strip()
        copied = _run(["docker", "cp", f"{container}:/etc/topscoop-gateway/services-ca.crt", str(authority)])
        assert copied.returncode == 0, copied.stderr
        return authority

    def frames(self, tenant: str) -> list[dict[str, Any]]:
        """The rows of a tenant's stored frames."""
        rows: list[dict[str, Any]] = self.topscoop("enrolment", "cloud", "frames", "list", "--tenant", tenant)
        return rows

    def versions(self) -> set[tuple[str, str]]:
        """Key and version id of every version of every frame in the bucket."""
        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{PORTS['S3_PORT']}",
            region_name="us-east-1",
            aws_access_key_id="topscoop",
            aws_secret_access_key="topscoop-development",
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )
        pages = client.get_paginator("list_object_versions").paginate(
            Bucket="topscoop-frames", Prefix="frames/"
        )
        found = {(one["Key"], one["VersionId"]) for page in pages for one in page.get("Versions", [])}
        client.close()
        return found


def until(true: Callable[[], bool], within_s: float, what: str) -> None:
    """Wait for a state of processes that nobody here can be told of."""
    deadline_s = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline_s, f"not within {within_s:g} s: {what}"
        time.sleep(1)
