"""What a ruling or an ending writes: the pure half of every ledger."""

import dataclasses
from enum import StrEnum
from typing import Any

from cloud.collector.values import (
    Claim,
    Ending,
    Failure,
    Later,
    Offer,
    Refuse,
    Repeat,
    Row,
    Ruling,
    State,
    Store,
    Vanish,
)
from wire_protocol.reasons import Reason


def row_after(offer: Offer, ruling: Ruling, before: Row | None) -> Row | None:
    """The message's row after a ruling; None where none is written.

    Args:
        offer: What was ruled on.
        ruling: By `acceptance.accept`.
        before: Its row, if there was one: an unsettled claim (or, for `Repeat`, any).
    """
    row = Row(
        register=offer.message.identity.register,
        message_id=offer.message.header.message_id,
        sha256=offer.message.sha256,
        state=State.CLAIMED,
        received_at_ms=before.received_at_ms if before else offer.received_at_ms,
        attempts=before.attempts if before else 0,
    )
    match ruling:
        case Claim(lease_until_ms=lease_until_ms):
            return dataclasses.replace(row, token=offer.token, lease_until_ms=lease_until_ms)
        case Store():
            return dataclasses.replace(row, state=State.STORED)
        case Refuse(reason, _, durable):
            return dataclasses.replace(row, state=State.REFUSED, reason=reason) if durable else None
        case Vanish():
            return dataclasses.replace(row, state=State.GONE)
        case Repeat(settled):
            return settled
        case Later():
            return None


def row_ended(row: Row, ending: Ending, *, withdrawn: bool) -> Row:
    """The row after the end of its claim: stored, given back, or gone because its consent was withdrawn."""
    if ending.version is None:
        return row_released(row)
    if withdrawn:
        return dataclasses.replace(row, state=State.GONE, token=None, lease_until_ms=None)
    return dataclasses.replace(
        row, state=State.STORED, version=ending.version, token=None, lease_until_ms=None
    )


def row_released(row: Row) -> Row:
    """A claim that is nobody's any more: its holder cannot finish, anybody may claim it."""
    return dataclasses.replace(row, token=None, lease_until_ms=None)


def row_failed(failure: Failure, before: Row | None, now_ms: int) -> Row:
    """The row after one more failure; a settled one, or one of other bytes, stays as it is."""
    if before is None:
        before = Row(
            register=failure.identity.register,
            message_id=failure.message_id,
            sha256=failure.sha256,
            state=State.CLAIMED,
            received_at_ms=now_ms,
            attempts=0,
        )
    if before.state is not State.CLAIMED or before.sha256 != failure.sha256:
        return before
    failed = dataclasses.replace(row_released(before), attempts=before.attempts + 1)
    if failed.attempts < failure.attempts_max or not failure.refusable:
        return failed
    return dataclasses.replace(failed, state=State.REFUSED, reason=Reason.POISON)


def set_aside(failure: Failure, row: Row) -> bool:
    """Whether a person is to look at the message from now on: `row` is what `row_failed` made."""
    return row.sha256 == failure.sha256 and (
        row.reason is Reason.POISON or (row.state is State.CLAIMED and row.attempts >= failure.attempts_max)
    )


def json_body(payload: Any) -> Any:
    """A payload as JSON's types: byte strings in hexadecimal, what is None left out."""
    match payload:
        case StrEnum():
            return payload.value
        case bytes():
            return payload.hex()
        case tuple():
            return [json_body(inner) for inner in payload]
        case _ if dataclasses.is_dataclass(payload):
            pairs = ((field.name, getattr(payload, field.name)) for field in dataclasses.fields(payload))
            return {name: json_body(value) for name, value in pairs if value is not None}
    return payload
