"""What was stored after a backup is not lost by the restore: the objects tell all that a row needs."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, insert, select

from cloud.collector.acceptance import object_key
from cloud.collector.object_storing import META_MESSAGE, META_REGISTER
from cloud.database.schema import consents, frames, messages, register_keys, registers, withdrawals
from cloud.operations.reclaim import Reclaimed, reclaim, stored_since
from tests.builders.privacy_stage import YEAR_MS, Given, Stage
from tests.builders.wire_messages import REGISTER, TENANT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.close()


def _stored(stage: Stage) -> tuple[Given, str]:
    """A frame whose object is there; the backup knew nothing of it."""
    given = stage.consent()
    metadata = {META_REGISTER: REGISTER, META_MESSAGE: given.message_id.hex()}
    return given, stage.objects.put(object_key(TENANT, given.interaction), given.message, metadata, {})


def _reclaim(stage: Stage, made_at_ms: int | None = None) -> Reclaimed:
    backup_ms = stage.time() if made_at_ms is None else made_at_ms
    found = list(stored_since(stage.objects, backup_ms))
    with stage.database.system() as connection:
        return reclaim(stage.database, connection, stage.objects, found)


def test_a_frame_without_a_row_gets_all_its_rows(stage: Stage) -> None:
    """T25: message, consent and frame are as the collector would have written them."""
    given, version = _stored(stage)
    assert _reclaim(stage).frames == 1
    with stage.database.tenant(TENANT, read_only=True) as connection:
        message = connection.execute(select(messages)).one()
        consent = connection.execute(select(consents)).one()
        frame = connection.execute(select(frames)).one()
    assert (message.message_id, message.state, message.version, message.token) == (
        given.message_id,
        "stored",
        version,
        None,
    )
    assert (consent.consent, consent.receipt) == (given.consent, given.receipt)
    assert (frame.version, frame.consent, frame.size) == (version, given.consent, len(given.message))
    assert frame.expires_at_ms <= min(given.granted.expires_at, stage.time() + YEAR_MS)


def test_a_second_time_finds_nothing_to_do(stage: Stage) -> None:
    _stored(stage)
    assert _reclaim(stage).frames == 1
    assert _reclaim(stage) == Reclaimed()


def test_a_frame_that_the_backup_knows_is_left_alone(stage: Stage) -> None:
    stage.receive(stage.consent())
    assert _reclaim(stage) == Reclaimed()


def test_an_unfinished_claim_of_the_backup_is_finished(stage: Stage) -> None:
    """The backup was made between claim and row."""
    given, version = _stored(stage)
    _reclaim(stage)
    with stage.database.tenant(TENANT) as connection:
        connection.execute(delete(frames))
        connection.execute(messages.update().values(state="claimed", version=None, token=b"t" * 16))
    assert _reclaim(stage).frames == 1
    with stage.database.tenant(TENANT, read_only=True) as connection:
        row = connection.execute(select(messages)).one()
    assert (row.message_id, row.state, row.version, row.token) == (given.message_id, "stored", version, None)


def test_the_loser_of_a_claim_stays_without_a_row(stage: Stage) -> None:
    """One row and, after the sweeper, one version a message: the other version is the sweeper's."""
    given, _ = _stored(stage)
    metadata = {META_REGISTER: REGISTER, META_MESSAGE: given.message_id.hex()}
    stage.objects.put(object_key(TENANT, given.interaction), given.message, metadata, {})
    assert _reclaim(stage).frames == 1
    with stage.database.tenant(TENANT, read_only=True) as connection:
        assert len(connection.execute(select(frames)).all()) == 1


def test_a_withdrawn_frame_is_gone_and_the_keeper_finds_its_version(stage: Stage) -> None:
    """T25: erased after the backup, its version still there: gone for its register, deleted by the keeper."""
    given, _ = _stored(stage)
    with stage.database.tenant(TENANT) as connection:
        connection.execute(
            insert(withdrawals).values(
                tenant=TENANT,
                consent=given.consent,
                source="customer",
                withdrawn_at_ms=stage.time(),
                received_at_ms=stage.time(),
            )
        )
    assert _reclaim(stage).frames == 1
    with stage.database.tenant(TENANT, read_only=True) as connection:
        assert connection.execute(select(messages.c.state)).scalar_one() == "gone"
    stage.keeper.erase(TENANT)
    assert stage.versions(given) == []


def test_what_does_not_verify_gets_no_row(stage: Stage) -> None:
    """T26: an insider with S3 alone cannot smuggle a frame in by way of a restore."""
    given, _ = _stored(stage)
    (key, version) = next((found.key, found.version) for found in stage.objects.versions(f"frames/{TENANT}/"))
    stage.objects.delete(key, version)
    altered = bytearray(given.message)
    altered[-1] ^= 1
    stage.objects.put(key, bytes(altered), {META_REGISTER: REGISTER, META_MESSAGE: "00" * 16}, {})
    assert dataclasses.asdict(_reclaim(stage)) == {
        "frames": 0,
        "unverified": 1,
        "unknown_registers": set(),
    }


def test_a_register_that_the_backup_does_not_know_is_named(stage: Stage) -> None:
    """Enrolled after the backup: nothing verifies its frames any more, and the operator is told."""
    _stored(stage)
    with stage.database.tenant(TENANT) as connection:
        connection.execute(delete(register_keys))
        connection.execute(delete(registers))
    assert _reclaim(stage).unknown_registers == {f"{TENANT}/{REGISTER}"}


def test_what_is_much_older_than_the_backup_is_the_sweepers(stage: Stage) -> None:
    """A version without a row that the backup should have known is what a lost claim left."""
    _stored(stage)
    assert _reclaim(stage, made_at_ms=stage.time() + 2 * 3_600_000) == Reclaimed()
