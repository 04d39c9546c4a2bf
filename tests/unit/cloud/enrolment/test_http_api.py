"""Enrolment's routes: what they answer, and how they refuse."""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from cloud.config import EnrolmentConfig
from cloud.database.engine import Database
from cloud.database.tenancy import ServiceKey, add_service_key
from cloud.enrolment import http_api, registers
from cloud.enrolment.certificates import new_authority, pem
from cloud.enrolment.enrol import EnrolmentOffice
from cloud.enrolment.http_api import Desk, build_app
from cloud.enrolment.ports import NoBlanks
from cloud.enrolment.rate_limit import RateLimit
from cloud.enrolment.request import BODY_MAX_BYTES
from cloud.errors import DatabaseAway
from tests.builders.applicant import PaperApplicant
from tests.builders.cloud_database import NOW_MS, add_tenants, sqlite_database
from tests.builders.memory_broker import MemoryBroker
from wire_protocol.keys import SigningKey
from wire_protocol.limits import TIME_MAX_MS
from wire_protocol.topics import Identity

RECEIPTS = SigningKey.generate()
TILL = Identity("gelato", "till-1")


class Counter:
    """The application on a fresh database, and a client of it."""

    def __init__(self, database: Database, burst: int = 30) -> None:
        key = ec.generate_private_key
        self.database = database
        self.registers = new_authority("registers", key(ec.SECP256R1()), NOW_MS)
        self.services = new_authority("services", key(ec.SECP256R1()), NOW_MS)
        office = EnrolmentOffice(database, self.registers, MemoryBroker(), NoBlanks(), certificate_days=90)
        config = EnrolmentConfig(broker_host="broker.example", broker_port=8883)
        limit = RateLimit(burst)
        app = build_app(Desk(office, self.registers, self.services, config, lambda: NOW_MS, limit))
        transport = httpx.ASGITransport(app, client=("192.0.2.1", 4711))
        self.client = httpx.AsyncClient(transport=transport, base_url="https://test")

    def code(self) -> str:
        terms = registers.CodeTerms(self.services, minutes=15, tries=5)
        return registers.add_register(self.database, TILL, "north", terms, NOW_MS, actor="test").code

    async def post(self, path: str, body: Any) -> httpx.Response:
        return await self.client.post(path, json=body)


@pytest.fixture
async def counter(tmp_path: Path) -> AsyncIterator[Counter]:
    database = sqlite_database(tmp_path)
    add_tenants(database, "gelato")
    with database.tenant("gelato") as connection:
        add_service_key(connection, "gelato", ServiceKey("receipts", RECEIPTS.verification_key, NOW_MS, None))
    made = Counter(database)
    yield made
    await made.client.aclose()
    database.close()


async def test_an_enrolment_is_answered_with_all_that_a_register_needs(counter: Counter) -> None:
    """The very fields that docs/enrolment.md names."""
    applicant = PaperApplicant()
    answer = await counter.post("/v1/enrolments", applicant.enrolment(counter.code()))
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    certificate = x509.load_pem_x509_certificate(body.pop("certificate_pem").encode())
    assert certificate.public_key() == applicant.tls.public_key()
    assert body == {
        "tenant": "gelato",
        "register": "till-1",
        "store": "north",
        "chain_pem": pem(counter.registers.certificate),
        "ca_pem": pem(counter.services.certificate),
        "broker": {"host": "broker.example", "port": 8883},
        "anchors": [
            {
                "purpose": "receipts",
                "algorithm": "EdDSA",
                "public": base64.b64encode(RECEIPTS.verification_key.public).decode(),
                "valid_from_ms": NOW_MS,
                "valid_until_ms": TIME_MAX_MS,
            }
        ],
        "release_root": None,
        "blanks": [],
        "server_time_ms": NOW_MS,
    }


async def test_a_renewal_is_answered_alike(counter: Counter) -> None:
    """With the next certificate."""
    present, following = PaperApplicant(), PaperApplicant()
    first = (await counter.post("/v1/enrolments", present.enrolment(counter.code()))).json()
    certificate = x509.load_pem_x509_certificate(first["certificate_pem"].encode())
    answer = await counter.post("/v1/renewals", following.renewal(certificate, present.tls))
    assert answer.status_code == 201
    assert answer.json().keys() == first.keys()
    assert answer.json()["certificate_pem"] != first["certificate_pem"]


async def test_the_authority_is_shown(counter: Counter) -> None:
    """For a register to compare with its code."""
    answer = await counter.client.get("/v1/ca")
    assert (answer.status_code, answer.text) == (200, pem(counter.services.certificate))


async def test_the_service_says_that_it_lives(counter: Counter) -> None:
    """For a health check through the same door."""
    assert (await counter.client.get("/healthz")).json() == {"status": "alive"}


async def test_a_refusal_is_a_problem_in_plain_words(counter: Counter) -> None:
    """RFC 9457, with what to do next."""
    code = counter.code()
    await counter.post("/v1/enrolments", PaperApplicant().enrolment(code))
    answer = await counter.post("/v1/enrolments", PaperApplicant().enrolment(code))
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:topscoop:enrolment:code-used",
        "title": "Not allowed",
        "status": 403,
        "detail": "the code was used before",
        "remedy": "Ask for a new code: `topscoop cloud register code`.",
    }


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 422),
        (b"[]", "application/json", 422),
        (b"\xff", "application/json", 422),
        (b"[" * 5000, "application/json", 422),
        (b"{}", "application/json; charset=utf-8", 422),
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
        (b" " * (BODY_MAX_BYTES + 1), "application/json", 413),
    ],
)
async def test_what_is_no_request_is_refused(
    counter: Counter, content: bytes, kind: str, status: int
) -> None:
    """Wrong, too large, or of another type."""
    answer = await counter.client.post("/v1/enrolments", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert answer.json()["type"] == "urn:topscoop:enrolment:bad-request"


async def test_a_body_without_an_end_is_cut_off(counter: Counter) -> None:
    """It is counted as it comes, whatever it announced."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 1000 * 1024:
            sent += 1024
            yield b" " * 1024

    answer = await counter.client.post(
        "/v1/renewals", content=endless(), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413
    assert sent <= BODY_MAX_BYTES + 2048


async def test_one_source_cannot_ask_without_end(tmp_path: Path) -> None:
    """T27: it is told when to come back; what it pretends about its address changes nothing."""
    database = sqlite_database(tmp_path)
    counter = Counter(database, burst=2)
    answers = [
        await counter.client.post("/v1/enrolments", json={}, headers={"X-Forwarded-For": f"10.0.0.{number}"})
        for number in range(3)
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 429]
    assert answers[-1].headers["retry-after"] == "1"
    assert answers[-1].json()["type"].endswith("too-many-requests")
    await counter.client.aclose()
    database.close()


async def test_a_database_that_is_away_is_said_to_be(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T18: 503, and nothing was used up."""

    def away() -> list[str]:
        raise DatabaseAway("it is away")

    code = counter.code()
    with monkeypatch.context() as patch:
        patch.setattr(counter.database, "tenants", away)
        answer = await counter.post("/v1/enrolments", PaperApplicant().enrolment(code))
    assert answer.status_code == 503
    assert answer.json()["type"].endswith("unavailable")
    assert (await counter.post("/v1/enrolments", PaperApplicant().enrolment(code))).status_code == 201


async def test_unknown_routes_are_problems_too(counter: Counter) -> None:
    """And there are no documents that need a foreign server."""
    for path in ("/", "/docs", "/openapi.json", "/v1/enrolments"):
        answer = await counter.client.get(path)
        assert answer.status_code in {404, 405}
        assert answer.headers["content-type"] == "application/problem+json"


async def test_the_log_holds_no_code_and_nothing_unescaped(
    counter: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    """T1: secrets stay out of it, and no line can be forged into it."""
    caplog.set_level(logging.DEBUG)
    code = counter.code()
    applicant = PaperApplicant(subject="line\nforged event=register.enrolled")
    body = applicant.enrolment(code)
    await counter.post("/v1/enrolments", {**body, "agent_version": "1\nforged"})
    await counter.post("/v1/enrolments", {**body, "x\nforged": 1})
    await counter.post("/v1/enrolments", body)
    await counter.post("/v1/enrolments", PaperApplicant().enrolment(code))
    lines = [
        json.dumps([record.getMessage(), getattr(record, "topscoop_fields", None)])
        for record in caplog.records
        if record.name.startswith("cloud")
    ]
    assert len(lines) == 2
    text = "\n".join(lines)
    assert "forged" not in text
    assert code not in text
    assert code.replace("-", "")[8:24] not in text


async def test_a_body_that_does_not_come_is_not_waited_for(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T27: its connection is one that others need."""
    monkeypatch.setattr(http_api, "BODY_TIMEOUT_S", 0.05)

    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async with asyncio.timeout(10):
        answer = await counter.client.post(
            "/v1/enrolments", content=slow(), headers={"content-type": "application/json"}
        )
    assert (answer.status_code, answer.json()["title"]) == (408, "Too slow")
