"""The collector as a process, over a real mosquitto, SQLite and a real S3 server."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from cloud.database import schema
from tests.builders.collector_stack import CollectorStack, now_ms, registers, wait_for
from tests.builders.frame_sender import Sender
from wire_protocol.messages import Verdict
from wire_protocol.topics import Topic, Up

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.builders.ceph_s3 import CephS3
    from tests.builders.mosquitto import Mosquitto

pytestmark = pytest.mark.service


@pytest.fixture
def stack(tmp_path: Path, mosquitto: Mosquitto, real_s3: CephS3) -> Iterator[CollectorStack]:
    with CollectorStack(tmp_path / "cloud", mosquitto, real_s3) as stack:
        yield stack


def test_frames_become_versions_with_rows_and_receipts(stack: CollectorStack) -> None:
    """Every kind is answered; a frame's object is the message itself, under the version its receipt names."""
    sender = Sender(now_ms=now_ms())
    stack.enrol(sender)
    stack.start()
    (register,) = registers(stack, [sender])
    frames = [sender.frame() for _ in range(20)]
    others = [sender.consent(), sender.interaction_record(), sender.outcome(), sender.withdrawal(bytes(16))]
    with register:
        register.send(*frames, *others)
        receipts = register.answers(*frames, *others)
        assert {receipt.verdict for receipt in receipts} == {Verdict.STORED}
        register.send(*frames)
        assert register.answers(*frames) == receipts[: len(frames)]
    versions = dict(stack.versions(sender.tenant))
    rows = stack.rows(schema.frames, sender.tenant)
    assert {(row.object_key, row.version) for row in rows} == set(versions.items())
    assert len(rows) == len(frames)
    for sent, receipt in zip(frames, receipts, strict=False):
        row = next(row for row in rows if row.message_id == sent.message_id)
        assert row.version == receipt.version
        assert stack.store.get(row.object_key, row.version).body == sent.payload
    metrics = stack.metrics()
    assert metrics["topscoop_collector_repeated_total"] == len(frames)
    assert metrics["topscoop_collector_in_flight_messages"] == 0
    assert stack.terminate() == 0


def test_nothing_is_lost_when_collector_broker_and_store_are_killed(
    stack: CollectorStack, real_s3: CephS3
) -> None:
    """SIGKILL of each under load: every message ends with one row and, after the sweeper, one version.

    T4, T17, T18.
    """
    stack.collector |= {"lease_s": 2}
    sender = Sender(now_ms=now_ms())
    stack.enrol(sender)
    stack.start()
    (register,) = registers(stack, [sender])
    frames = [sender.frame(sealed=os.urandom(20_000)) for _ in range(240)]
    with register:
        feeder = threading.Thread(target=_feed, args=(register, frames), name="feeder")
        feeder.start()
        for kill, restart in (
            (stack.kill, stack.start),
            (stack.broker.kill, stack.broker.start),
            (real_s3.kill_gateway, real_s3.start_gateway),
            (real_s3.kill_store, real_s3.start_store),
            (stack.kill, stack.start),
        ):
            answered = len(register.receipts)
            wait_for(
                lambda answered=answered: len(register.receipts) > answered + 10 or not register.unanswered,
                "receipts come in",
            )
            kill()
            restart()
        feeder.join()
        receipts = register.answers(*frames)
    assert {receipt.verdict for receipt in receipts} == {Verdict.STORED}
    assert stack.terminate() == 0
    rows = stack.rows(schema.frames, sender.tenant)
    assert {row.message_id for row in rows} == {sent.message_id for sent in frames}
    named = {(row.object_key, row.version) for row in rows}
    assert named <= set(stack.versions(sender.tenant))
    stack.sweep(after_ms=11 * 60_000)
    assert set(stack.versions(sender.tenant)) == named
    by_id = {row.message_id: row.version for row in rows}
    assert [receipt.version for receipt in receipts] == [by_id[sent.message_id] for sent in frames]


def _feed(register: object, frames: list[object]) -> None:
    for start in range(0, len(frames), 20):
        threading.Event().wait(0.5)
        register.send(*frames[start : start + 20])  # type: ignore[attr-defined]


def test_a_store_that_is_away_means_retry(stack: CollectorStack, real_s3: CephS3) -> None:
    """While S3 is away, answers are `retry`, none is `refused`; what fell back is stored later (T18)."""
    sender = Sender(now_ms=now_ms())
    stack.enrol(sender)
    stack.start()
    (register,) = registers(stack, [sender])
    frames = [sender.frame() for _ in range(10)]
    real_s3.kill_gateway()
    try:
        with register:
            register.send(*frames)
            wait_for(lambda: len(register.receipts) == len(frames), "every frame is answered")
            assert {one.verdict for each in register.receipts.values() for one in each} == {Verdict.RETRY}
            wait_for(lambda: not stack.ready(), "readiness falls")
            real_s3.start_gateway()
            assert {receipt.verdict for receipt in register.answers(*frames)} == {Verdict.STORED}
            wait_for(stack.ready, "readiness returns")
    finally:
        if not stack.ready():
            real_s3.start_gateway()
    assert len(stack.versions(sender.tenant)) == len(frames)


def test_the_same_message_from_three_identities(stack: CollectorStack) -> None:
    """The rightful sender's hundred repeats get its receipt; another register's and tenant's nothing (T3)."""
    sender = Sender(now_ms=now_ms())
    neighbour = Sender(register="till-2", consent_key=sender.consent_key, now_ms=now_ms())
    foreign = Sender(tenant="zeta", now_ms=now_ms())
    stack.enrol(sender, neighbour, foreign)
    stack.start()
    own, other, third = registers(stack, [sender, neighbour, foreign])
    sent = sender.frame()
    with own, other, third:
        own.send(sent)
        (receipt,) = own.answers(sent)
        for number in range(100):
            own.publish_raw(str(sent.topic), sent.payload)
            for thief in (other, third):
                thief.publish_raw(str(Topic(thief.sender.identity, Up.FRAME)), sent.payload)
            if number == 50:
                stack.kill()
                stack.start()
        wait_for(lambda: len(own.receipts[sent.message_id]) >= 50, "repeats are answered")
        wait_for(lambda: len(other.receipts.get(sent.message_id, ())) >= 40, "the neighbour is refused")
        wait_for(lambda: len(third.receipts.get(sent.message_id, ())) >= 40, "the stranger is refused")
    settled = [one for one in own.receipts[sent.message_id] if one.verdict is not Verdict.RETRY]
    assert set(settled) == {receipt}
    refused = {one.reason for one in (*other.receipts[sent.message_id], *third.receipts[sent.message_id])}
    assert refused == {"identity-mismatch"}
    assert len(stack.versions("acme")) == 1
    assert stack.versions("zeta") == []
    assert len(stack.rows(schema.messages, "acme")) == 1
