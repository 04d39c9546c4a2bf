"""What becomes of a message when its handling fails: tried again, and in the end set aside (T19).

A withdrawal is set aside for a person to look at as well, but never refused: its register would drop it, and
nobody would erase. It is told `retry` with a growing delay, each time with an alarm, until it is carried out.
"""

from collections.abc import Sequence
from typing import Final

from cloud.collector.acceptance import RETRY_MAX_MS
from cloud.collector.answers import Answers, Work
from cloud.collector.limits import Limits
from cloud.collector.ports import Ledger, Watch
from cloud.collector.values import Failure, Row, State
from cloud.collector.verification import claimed_id
from wire_protocol.reasons import Reason
from wire_protocol.topics import Up

WITHDRAWAL_FAILED: Final = "withdrawal.failed"
"""An alarm: somebody asked for an erasure and has not got it."""


class Failures:
    """Answers messages that could not be handled."""

    def __init__(self, ledger: Ledger, answers: Answers, watch: Watch, limits: Limits) -> None:
        self._ledger = ledger
        self._answers = answers
        self._watch = watch
        self._limits = limits

    def database_away(self, works: Sequence[Work]) -> None:
        """Nothing is wrong with them."""
        for work in works:
            message_id = claimed_id(work.delivery.payload)
            self._answers.later(work, message_id, self._limits.retry_after_ms, "database")

    async def unexpected(self, work: Work, error: Exception) -> None:
        """Count a failure against its message; at the last that it has, it is set aside and refused."""
        withdrawal = work.topic.kind is Up.WITHDRAWAL
        self._watch.failed(WITHDRAWAL_FAILED if withdrawal else "message.failed", work.delivery.topic, error)
        message_id = claimed_id(work.delivery.payload)
        failure = Failure(
            identity=work.topic.identity,
            message_id=message_id or work.sha256[:16],
            kind=work.topic.kind,
            sha256=work.sha256,
            message=work.delivery.payload,
            error=f"{type(error).__name__}: {error}"[:2000],
            attempts_max=self._limits.attempts_max,
        )
        try:
            row = await self._ledger.fail(work.topic.identity.tenant, failure, work.received_at_ms)
        except Exception as trouble:  # noqa: BLE001 - not even that could be written: it comes again
            self._watch.failed("message.not_counted", work.delivery.topic, trouble)
            self._answers.later(work, message_id, self._limits.retry_after_ms, "database")
            return
        if row.sha256 != failure.sha256:
            self._answers.refuse(work, message_id, Reason.CONFLICT, "this message id was received before")
        elif row.state is State.CLAIMED:
            self._answers.later(work, message_id, self._pause_ms(row, withdrawal=withdrawal), "failed")
        elif message_id is None:
            self._answers.refuse(work, None, Reason.POISON, failure.error)
        else:
            self._answers.row(work, row, None)

    def _pause_ms(self, row: Row, *, withdrawal: bool) -> int:
        """Until the next attempt; for a withdrawal, which has no last one, it doubles."""
        pause_ms = self._limits.terms.busy_retry_ms
        return min(pause_ms * 2 ** min(row.attempts - 1, 20), RETRY_MAX_MS) if withdrawal else pause_ms
