"""The file service as a process: real broker, mutual TLS, real certificates; several at once, and killed."""

from __future__ import annotations

import hashlib
import os
import threading
from typing import TYPE_CHECKING

import pytest

from tests.builders.collector_stack import wait_for
from tests.builders.files_stack import FilesStack
from tests.builders.frame_sender import Sender
from wire_protocol.fleet_messages import FileStatus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.service

_MODEL = os.urandom(1_000_000)
_PATH = f"targets/releases/7/{hashlib.sha256(_MODEL).hexdigest()}.model.onnx"
_TIMESTAMP = "metadata/timestamp.json"


@pytest.fixture(scope="module")
def senders() -> dict[str, Sender]:
    return {tenant: Sender(tenant, "till-1") for tenant in ("acme", "bianca")}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, senders: dict[str, Sender]) -> Iterator[FilesStack]:
    folder: Path = tmp_path_factory.mktemp("files")
    with FilesStack(folder, *senders.values(), bytes_per_s=20_000_000) as running:
        running.put("acme", _PATH, _MODEL)
        running.put("acme", _TIMESTAMP, b"of acme")
        running.put("bianca", _TIMESTAMP, b"of bianca")
        running.start()
        yield running


def test_a_model_crosses_whole(stack: FilesStack, senders: dict[str, Sender]) -> None:
    """In pieces of 100,000 bytes, three in the air; the store is read once, and metrics say so."""
    with stack.register(senders["acme"]) as register:
        assert register.fetch(_PATH) == _MODEL
        assert register.fetch(_PATH) == _MODEL
    metrics = stack.metrics(0)
    assert metrics['topscoop_files_answered_total{status="ok"}'] >= 20
    assert metrics["topscoop_files_sent_bytes_total"] >= 2_000_000
    assert metrics["topscoop_files_memory_bytes"] >= 1_000_000


def test_each_chain_has_its_own(stack: FilesStack, senders: dict[str, Sender]) -> None:
    """T7: the same path is another file; another chain's release is not there."""
    with stack.register(senders["acme"]) as acme, stack.register(senders["bianca"]) as bianca:
        assert acme.one(_TIMESTAMP)[1] == b"of acme"
        assert bianca.one(_TIMESTAMP)[1] == b"of bianca"
        assert bianca.one(_PATH)[0].status is FileStatus.MISSING
        assert acme.one("metadata/9.root.json")[0].status is FileStatus.MISSING


def test_a_request_in_anothers_name_is_counted_and_not_answered(
    stack: FilesStack, senders: dict[str, Sender]
) -> None:
    """T1: a stolen certificate without the signing key fetches nothing; the log says why."""
    thief = Sender("acme", "till-1")  # the identity, and another key
    with stack.register(senders["acme"]) as register:
        register._sender = thief
        register.ask(_PATH)
        register._sender = senders["acme"]
        assert register.one(_TIMESTAMP)[1] == b"of acme"  # what comes next is the answer to this one
    refused = 'topscoop_files_refused_total{reason="unknown-key"}'
    wait_for(lambda: stack.metrics(0).get(refused, 0) >= 1, "the refusal is counted")
    assert "file_request.refused" in stack.log(0)


def test_several_share_the_work_and_one_that_is_killed_costs_only_a_repeat(
    stack: FilesStack, senders: dict[str, Sender]
) -> None:
    """Registers go on fetching while one of two file services dies; every byte comes."""
    second = stack.start()
    found: list[bytes] = []

    def fetch() -> None:
        with stack.register(senders["acme"]) as register:
            found.extend(register.fetch(_PATH) for _ in range(3))

    thread = threading.Thread(target=fetch)
    thread.start()
    stack.kill(second)
    thread.join(60)
    assert found == [_MODEL] * 3
    assert stack.ready(0)
