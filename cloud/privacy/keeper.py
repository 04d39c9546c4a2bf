"""What the keeper does: answers reports with blanks, erases what was withdrawn, ends what is over its time.

Every method may be called again, by this keeper or another one, after dying anywhere in it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cloud.collector.rows import json_body
from cloud.database.tills import PUBLIC_API
from cloud.privacy.blank_issue import (
    ARRIVAL_MS,
    Need,
    blanks_to_issue,
    issued_at_ms,
    key_ends_at_ms,
    usable_until_ms,
)
from cloud.privacy.downlink import Downlink
from cloud.privacy.erasure import Eraser
from cloud.privacy.erasure_plan import TELL_AGAIN_MS, TELL_FOR_MS, Source, Withdrawal
from cloud.privacy.ports import KeyVault
from cloud.privacy.records import KEEPER, Records
from daemon.log_fields import fields
from wire_protocol import envelope
from wire_protocol.errors import RefusedMessage
from wire_protocol.handover_messages import NoticeUp
from wire_protocol.messages import Payload, ReportUp
from wire_protocol.notices import MAX_CHARACTERS, Notice
from wire_protocol.reasons import Reason
from wire_protocol.topics import Identity, Topic, Up

log = logging.getLogger(__name__)

BATCH: Final = 200
"""Consents that are erased together, so that one scrubbing of the keys' files serves all of them."""
TOLD_PER_REPORT: Final = 1000


@dataclass(frozen=True, slots=True)
class Stock:
    """The configuration of blanks: how many a register holds, and for how many days they are good."""

    blanks: int
    days: int


class Keeper:
    """The keeper of consent keys.

    Args:
        records: The cloud's database.
        vault: The keys'.
        eraser: Over the same two and the bucket.
        downlink: To the registers.
        stock: Of blanks.
        clock: Milliseconds since 1970.
        keep_notice: Takes what a register shows to customers, and when it was heard.
    """

    def __init__(
        self,
        records: Records,
        vault: KeyVault,
        eraser: Eraser,
        downlink: Downlink,
        *,
        stock: Stock,
        clock: Callable[[], int],
        keep_notice: Callable[[Identity, Notice, int], None] | None = None,
    ) -> None:
        self._records = records
        self._vault = vault
        self._eraser = eraser
        self._downlink = downlink
        self._stock = stock
        self._clock = clock
        self._keep_notice = keep_notice

    def hear(self, topic_text: str, payload: bytes) -> int:
        """Take in what a register says; how many blanks were sent for it.

        Raises:
            As `report`.
        """
        if Topic.parse(topic_text).kind is Up.NOTICE:
            self.notice(topic_text, payload)
            return 0
        return self.report(topic_text, payload)

    # ---- notices ------------------------------------------------------------------------------------------

    def notice(self, topic_text: str, payload: bytes) -> None:
        """Keep a text that a register shows, for the phones of those who scan its codes.

        Raises:
            As `report`; also `bad-payload` for a text that no register may show.
        """
        identity, said = self._verified(topic_text, payload, Up.NOTICE)
        assert isinstance(said, NoticeUp), "envelope.verify decodes by kind"
        text = said.text.decode()
        if len(text) > MAX_CHARACTERS or "\0" in text:
            raise RefusedMessage(Reason.BAD_PAYLOAD, f"a notice has {MAX_CHARACTERS} characters at most")
        if self._keep_notice is not None:
            purposes = tuple(purpose.value for purpose in said.purposes)
            shown = Notice(said.language.lower(), text, purposes, said.valid_days)
            self._keep_notice(identity, shown, self._clock())

    # ---- reports ------------------------------------------------------------------------------------------

    def report(self, topic_text: str, payload: bytes) -> int:
        """Take one report in; tells of erasures, and returns how many blanks were sent.

        Raises:
            RefusedMessage: It is not this register's, or the register may not speak any more.
            TopscoopError: A store is away; the register reports again.
        """
        identity, report = self._verified(topic_text, payload, Up.REPORT)
        assert isinstance(report, ReportUp), "envelope.verify decodes by kind"
        self._records.save_report(identity.tenant, identity.register, json_body(report), self._clock())
        self._tell_again(identity)
        return self._refill(identity, report) if report.blanks_wanted else 0

    def _verified(self, topic_text: str, payload: bytes, kind: Up) -> tuple[Identity, Payload]:
        topic = Topic.parse(topic_text)
        if topic.kind is not kind:
            raise RefusedMessage(Reason.BAD_TOPIC, "the keeper takes reports and notices only")
        identity = topic.identity
        unverified = envelope.parse(payload, topic)
        state = self._records.register_state(identity.tenant, identity.register)
        if state is None:
            raise RefusedMessage(Reason.UNKNOWN_REGISTER, f"{identity} was never enrolled")
        keys = self._records.register_keys(identity.tenant, identity.register)
        verified = envelope.verify(unverified, keys.get)
        if state != "enrolled":
            raise RefusedMessage(Reason.REVOKED, f"{identity} is {state}")
        return identity, verified.payload

    def _tell_again(self, identity: Identity) -> None:
        now_ms = self._clock()
        due = self._records.to_tell(
            identity.tenant,
            identity.register,
            received_from_ms=now_ms - TELL_FOR_MS,
            told_until_ms=now_ms - TELL_AGAIN_MS,
            limit=TOLD_PER_REPORT,
        )
        if due:
            self._downlink.send_erase(identity, due)
            self._records.mark_told(identity.tenant, due, now_ms)

    def _refill(self, identity: Identity, report: ReportUp) -> int:
        now_ms = self._clock()
        count = blanks_to_issue(self._need(identity, report, now_ms), self._stock.blanks)
        if not count:
            return 0
        until_ms = usable_until_ms(now_ms, self._stock.days)
        # The private halves are durable before anything is signed over them.
        keys = self._vault.issue(
            identity.tenant, identity.register, count, now_ms, key_ends_at_ms(now_ms, self._stock.days)
        )
        self._downlink.send_blanks(identity, self._downlink.sign_blanks(identity, keys, now_ms, until_ms))
        log.info("blanks.sent", extra=fields(register=str(identity), count=count))
        return count

    def _need(self, identity: Identity, report: ReportUp, now_ms: int) -> Need:
        since_ms = now_ms - key_ends_at_ms(0, self._stock.days)
        live = self._vault.live(identity.tenant, identity.register, since_ms)
        outstanding = set(live) - self._records.given(identity.tenant, live)
        on_the_way = sum(issued_at_ms(blank) >= now_ms - ARRIVAL_MS for blank in outstanding)
        return Need(report.blanks_left, report.blanks_wanted, len(outstanding), on_the_way)

    # ---- withdrawals --------------------------------------------------------------------------------------

    def erase(self, tenant: str) -> int:
        """Erase what was withdrawn and tell the registers; how many consents were erased."""
        rows = self._records.unfinished(tenant, BATCH)
        for _ in self._eraser.erase(tenant, rows):
            pass
        self._tell(self._records.untold(tenant, BATCH))
        return len(rows)

    def _tell(self, rows: list[Withdrawal]) -> None:
        for row in rows:
            register = self._records.register_of(row.tenant, row.consent) or self._vault.register_of(
                row.tenant, row.consent
            )
            # Nobody to tell: a consent that was never seen on a blank that was never issued, or a phone.
            if register is not None and register != PUBLIC_API:
                self._downlink.send_erase(Identity(row.tenant, register), [row.consent])
            self._records.mark_told(row.tenant, [row.consent], self._clock())

    # ---- retention ----------------------------------------------------------------------------------------

    def retention(self, tenant: str) -> int:
        """End consents whose time is over, and keys of blanks that were never filled; how many consents."""
        now_ms = self._clock()
        over = self._records.expired(tenant, now_ms, BATCH)
        for consent in over:
            self._records.withdraw(tenant, consent, Source.RETENTION, now_ms, actor=KEEPER)
        self._end_unused(tenant, now_ms)
        self._erase_left_over(tenant)
        return len(over)

    def _erase_left_over(self, tenant: str) -> None:
        """Whatever put a frame there after its consent was erased: it goes, too."""
        rows = self._records.left_over(tenant, BATCH)
        if rows:
            log.error("erasure.repeated", extra=fields(tenant=tenant, count=len(rows)))
        for _ in self._eraser.erase(tenant, rows):
            pass

    def _end_unused(self, tenant: str, now_ms: int) -> None:
        blanks = self._vault.ended(tenant, now_ms, BATCH)
        used = self._records.given(tenant, blanks)
        self._vault.mark_used(tenant, sorted(used))
        unused = [blank for blank in blanks if blank not in used]
        if unused:
            self._vault.destroy(tenant, unused)
            log.info("blanks.ended", extra=fields(tenant=tenant, count=len(unused)))
        self._vault.forget(tenant, now_ms)
