"""The public API against its own description: requests made of OpenAPI, valid and not, logged in and not.

Whatever comes, no answer is an error of ours, and each has a status, a type and a form that are described.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi import checks

from cloud.public_api.openapi import description
from tests.builders.public_api import PUBLIC_URL, TENANT, ApiStage, build_stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]
UNBOUND = {"requests_per_minute": 1_000_000, "uploads_per_minute": 1_000_000, "wait_max_s": 1}


class _Door:
    """The API under a chain's host, with or without somebody's token."""

    stage: ApiStage
    token: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
            headers.append((b"host", self.stage.desk.tenants.hosts.host(TENANT).encode()))
            if self.token is not None:
                headers = [one for one in headers if one[0] not in {b"authorization", b"cookie"}]
                headers.append((b"authorization", f"Bearer {self.token}".encode()))
            scope = scope | {"headers": headers}
        await self.stage.app(scope, receive, send)


DOOR = _Door()
SCHEMA = schemathesis.openapi.from_dict(description(PUBLIC_URL))
SCHEMA.app = DOOR
SCHEMA.config.update(base_url="https://api.example")


@pytest.fixture(scope="module", autouse=True)
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiStage]:
    folder: Path = tmp_path_factory.mktemp("api")
    DOOR.stage = build_stage(folder, **UNBOUND)
    yield DOOR.stage
    DOOR.stage.desk.database.close()


def _try(case: Any, token: str | None) -> None:
    DOOR.token = token
    response = case.call()
    assert response.status_code != 500
    case.validate_response(response, checks=CHECKS)


QUICK = settings(
    max_examples=4,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
LONG = settings(QUICK, max_examples=2000, phases=[Phase.explicit, Phase.generate])


@SCHEMA.parametrize()
@QUICK
def test_described_requests_get_described_answers(case: Any) -> None:
    """T23: somebody who is logged in."""
    _try(case, DOOR.stage.bearer())


@SCHEMA.parametrize()
@QUICK
def test_described_requests_of_nobody_get_described_answers(case: Any) -> None:
    """T22: with whatever credential the description lets one make up."""
    _try(case, None)


@pytest.mark.soak
@SCHEMA.parametrize()
@LONG
def test_many_described_requests_get_described_answers(case: Any) -> None:
    """As the first, for longer."""
    _try(case, DOOR.stage.bearer())
