"""The ledger in SQLite or PostgreSQL: one transaction per call, a few statements whatever the batch's size.

A claim is an `INSERT … ON CONFLICT DO NOTHING RETURNING`; what it returns is ours. Every further step is
fenced by the claim's token. Rows are written in the order of their keys, so that collectors do not deadlock.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, exc

from cloud.collector.acceptance import day_of
from cloud.collector.adapters import ledger_statements as sql
from cloud.collector.adapters.hot_statements import HotStatements
from cloud.collector.adapters.ledger_values import (
    consent_id_of,
    consent_values,
    frame_values,
    row_values,
    sale_values,
)
from cloud.collector.ports import Decide
from cloud.collector.rows import row_after, row_ended, row_failed, set_aside
from cloud.collector.values import (
    Claim,
    Condemned,
    ConsentFact,
    Ending,
    Facts,
    Failure,
    Later,
    Offer,
    Opening,
    RefusalCount,
    Refuse,
    Row,
    Ruling,
    State,
    Store,
)
from cloud.database.audit_log import write_audit
from cloud.database.consent_lock import lock_to_finish, lock_to_withdraw
from cloud.database.engine import Database
from cloud.errors import DatabaseAway
from cloud.objects.ports import Version
from cloud.outage_log import DatabaseOutage
from wire_protocol.messages import InteractionUp, OutcomeUp, WithdrawalUp
from wire_protocol.reasons import Reason

R = TypeVar("R")
_RACED: Final = Later(1_000, "busy")
"""Another collector wrote the same row at this moment."""
_AUDITED: Final = frozenset(reason for reason in Reason if reason.startswith(("consent-", "blank-")))


class SqlLedger:
    """Rows of messages in a database.

    Args:
        database: With the tables of `cloud.database.schema`.
        threads: Transactions at once; a SQLite file has one writer, and waiting for it would cost more.
        outage: Told of transactions that the database could not do, and of those that it could again.
    """

    def __init__(self, database: Database, threads: int = 4, outage: DatabaseOutage | None = None) -> None:
        self._database = database
        self._outage = outage or DatabaseOutage()
        self._statements = sql.Statements(sqlite=database.is_sqlite)
        self._hot = HotStatements(sqlite=database.is_sqlite)
        self._threads = ThreadPoolExecutor(1 if database.is_sqlite else threads, thread_name_prefix="ledger")

    def close(self) -> None:
        """Wait for what is being written."""
        self._threads.shutdown()

    async def _in_transaction(self, tenant: str, work: Callable[[Connection], R]) -> R:
        def run() -> R:
            try:
                result = self._transact(tenant, work)
            except DatabaseAway as error:
                self._outage.failed("rows", error)
                raise
            self._outage.worked("rows")
            return result

        return await asyncio.get_running_loop().run_in_executor(self._threads, run)

    def _transact(self, tenant: str, work: Callable[[Connection], R]) -> R:
        try:
            with self._database.tenant(tenant) as connection:
                return work(connection)
        except (exc.DataError, exc.IntegrityError):
            raise  # something in the batch cannot be written
        except exc.DBAPIError as error:  # tables missing, rights taken away: no message is to blame
            raise DatabaseAway(f"the database refuses: {error.orig}") from error

    # ---- open ----

    async def open(
        self, tenant: str, offers: Sequence[Offer], decide: Decide, now_ms: int
    ) -> Sequence[Opening]:
        """As the port says."""
        return await self._in_transaction(tenant, lambda c: self._open(c, tenant, offers, decide, now_ms))

    def _open(
        self, c: Connection, tenant: str, offers: Sequence[Offer], decide: Decide, now_ms: int
    ) -> list[Opening]:
        payloads = (offer.message.payload for offer in offers)
        lock_to_withdraw(c, tenant, (one.consent for one in payloads if isinstance(one, WithdrawalUp)))
        facts = self._facts(c, tenant, offers, now_ms)
        rulings = [decide(offer, fact) for offer, fact in zip(offers, facts, strict=True)]
        self._write_consents(c, tenant, offers, facts, rulings)
        self._write_sales(c, tenant, offers, rulings)
        rows = [
            row_after(offer, ruling, fact.row)
            for offer, ruling, fact in zip(offers, rulings, facts, strict=True)
        ]
        self._write_rows(c, tenant, offers, facts, rulings, rows)
        self._write_withdrawals(c, tenant, offers, rulings, now_ms)
        return [
            Opening(ruling, None if isinstance(ruling, Later) else row)
            for ruling, row in zip(rulings, rows, strict=True)
        ]

    def _facts(self, c: Connection, tenant: str, offers: Sequence[Offer], now_ms: int) -> list[Facts]:
        rows = self._hot.rows(c, tenant, (offer.message for offer in offers), lock=False)
        consent_ids = [offer.consent.consent_id for offer in offers if offer.consent]
        consents: dict[bytes, ConsentFact] = {}
        withdrawn: dict[bytes, int] = {}
        frames, size = 0, 0
        if consent_ids:
            consents = self._hot.consents(c, tenant, consent_ids)
            withdrawn = self._hot.withdrawals(c, tenant, consent_ids)
            frames, size = self._hot.usage(c, tenant, day_of(now_ms))
        facts = []
        for offer in offers:
            consent_id = offer.consent.consent_id if offer.consent else b""
            key = (offer.message.identity.register, offer.message.header.message_id)
            facts.append(
                Facts(rows.get(key), consents.get(consent_id), withdrawn.get(consent_id), frames, size)
            )
        return facts

    def _write_consents(
        self,
        c: Connection,
        tenant: str,
        offers: Sequence[Offer],
        facts: Sequence[Facts],
        rulings: list[Ruling],
    ) -> None:
        new = {
            offer.consent.consent_id: (index, consent_values(tenant, offer))
            for index, offer in enumerate(offers)
            if isinstance(rulings[index], Claim | Store) and offer.consent and facts[index].consent is None
        }
        if new:
            values = [value for _, (_, value) in sorted(new.items())]
            ours = self._hot.add_consents(c, values)
            for consent_id, (index, _) in new.items():
                if consent_id not in ours:
                    rulings[index] = _RACED

    def _write_sales(
        self, c: Connection, tenant: str, offers: Sequence[Offer], rulings: list[Ruling]
    ) -> None:
        """Interactions and outcomes; an id that another register has used is a conflict."""
        for kind, add, owners in (
            (InteractionUp, self._statements.add_interactions, sql.interaction_owners),
            (OutcomeUp, self._statements.add_outcomes, sql.outcome_owners),
        ):
            new = [
                (index, sale_values(tenant, offer, ruling))
                for index, (offer, ruling) in enumerate(zip(offers, rulings, strict=True))
                if isinstance(offer.message.payload, kind) and isinstance(ruling, Store)
            ]
            if not new:
                continue
            name = "interaction" if kind is InteractionUp else "outcome"
            values = sorted((value for _, value in new), key=lambda value: bytes(value[name]))
            ours = set(c.execute(add, values).scalars())
            known = [value[name] for _, value in new if value[name] not in ours]
            if not known:
                continue
            owner_of = {row[0]: row[1] for row in c.execute(owners(tenant, known))}
            for index, value in new:
                if value[name] not in ours and owner_of.get(value[name]) != value["register"]:
                    rulings[index] = Refuse(Reason.CONFLICT, f"another register has sent this {name}")

    def _write_rows(  # noqa: PLR0917 - parallel sequences, one element per offer
        self,
        c: Connection,
        tenant: str,
        offers: Sequence[Offer],
        facts: Sequence[Facts],
        rulings: list[Ruling],
        rows: Sequence[Row | None],
    ) -> None:
        new: dict[tuple[str, bytes], tuple[int, dict[str, Any]]] = {}
        for index, (offer, fact, row) in enumerate(zip(offers, facts, rows, strict=True)):
            if row is None or row is fact.row:
                continue
            ruling = rulings[index]
            late = isinstance(ruling, Store) and ruling.late
            if fact.row is None:
                values = row_values(
                    tenant, row, str(offer.message.kind), len(offer.message.message), late=late
                )
                new[row.register, row.message_id] = (index, values)
            elif not c.execute(sql.settle(tenant, fact.row, row, late=late)).rowcount:
                rulings[index] = _RACED
        if new:
            values_list = [values for _, (_, values) in sorted(new.items())]
            ours = self._hot.add_rows(c, values_list)
            for key, (index, _) in new.items():
                if key not in ours:
                    rulings[index] = _RACED

    def _write_withdrawals(
        self, c: Connection, tenant: str, offers: Sequence[Offer], rulings: Sequence[Ruling], now_ms: int
    ) -> None:
        for offer, ruling in zip(offers, rulings, strict=True):
            payload = offer.message.payload
            if not isinstance(payload, WithdrawalUp) or not isinstance(ruling, Store):
                continue
            if ruling.review:
                detail = {"withdrawn_at_ms": payload.withdrawn_at, "message": offer.message.message.hex()}
                write_audit(
                    c,
                    tenant,
                    now_ms,
                    actor=str(offer.message.identity),
                    action="withdrawal.from_revoked_register",
                    subject=payload.consent.hex(),
                    detail=detail,
                )
            else:
                values = {
                    "tenant": tenant,
                    "consent": payload.consent,
                    "source": "register",
                    "withdrawn_at_ms": payload.withdrawn_at,
                    "received_at_ms": offer.received_at_ms,
                }
                c.execute(self._statements.add_withdrawal, values)

    # ---- finish ----

    async def finish(self, tenant: str, endings: Sequence[Ending], now_ms: int) -> Sequence[Row | None]:
        """As the port says."""
        return await self._in_transaction(tenant, lambda c: self._finish(c, tenant, endings, now_ms))

    def _finish(self, c: Connection, tenant: str, endings: Sequence[Ending], now_ms: int) -> list[Row | None]:
        consents = [consent_id_of(ending.offer) for ending in endings]
        lock_to_finish(c, tenant, consents)
        rows = self._hot.rows(c, tenant, (ending.offer.message for ending in endings), lock=True)
        withdrawn = self._hot.withdrawals(c, tenant, consents)
        ended: list[Row | None] = []
        updates: list[tuple[Row, bytes]] = []
        frames, size = [], 0
        for ending, consent in zip(endings, consents, strict=True):
            message = ending.offer.message
            row = rows.get((message.identity.register, message.header.message_id))
            if row is None or row.state is not State.CLAIMED or row.token != ending.offer.token:
                ended.append(None)
                continue
            after = row_ended(row, ending, withdrawn=consent in withdrawn)
            ended.append(after)
            updates.append((after, ending.offer.token))
            if after.state is State.STORED:
                frames.append(frame_values(tenant, ending, now_ms))
                size += len(message.message)
        if updates:
            self._hot.end(c, tenant, updates)
        if frames:
            self._hot.add_frames(c, frames)
            self._hot.add_usage(c, tenant, day_of(now_ms), len(frames), size)
        return ended

    # ---- the rest ----

    async def row(self, tenant: str, register: str, message_id: bytes) -> Row | None:
        """As the port says."""
        return await self._in_transaction(tenant, lambda c: self._hot.row(c, tenant, register, message_id))

    async def fail(self, tenant: str, failure: Failure, now_ms: int) -> Row:
        """As the port says."""
        return await self._in_transaction(tenant, lambda c: self._fail(c, tenant, failure, now_ms))

    def _fail(self, c: Connection, tenant: str, failure: Failure, now_ms: int) -> Row:
        before = self._hot.row(c, tenant, failure.identity.register, failure.message_id)
        row = row_failed(failure, before, now_ms)
        if before is None:
            values = row_values(tenant, row, failure.kind, len(failure.message), late=False)
            self._hot.add_rows(c, [values])
        elif row is not before:
            c.execute(sql.settle(tenant, before, row, late=False))
        if row is not before and set_aside(failure, row):
            values = {
                "tenant": tenant,
                "register": failure.identity.register,
                "message_id": failure.message_id,
                "sha256": failure.sha256,
                "at_ms": now_ms,
                "error": failure.error.replace("\0", "�"),
                "message": failure.message,
            }
            c.execute(self._statements.add_quarantine, values)
        return row

    async def count_refusals(self, tenant: str, counts: Sequence[RefusalCount]) -> None:
        """As the port says; the first of a day for a consent's sake is written to the audit log."""
        await self._in_transaction(tenant, lambda c: self._count(c, tenant, counts))

    def _count(self, c: Connection, tenant: str, counts: Sequence[RefusalCount]) -> None:
        for count in sorted(counts, key=lambda one: (one.register, one.reason, one.day)):
            values = {
                "tenant": tenant,
                "register": count.register,
                "reason": count.reason.value,
                "day": count.day,
                "count": count.count,
            }
            total = c.execute(self._statements.add_refusals, values).scalar_one()
            if total == count.count and count.reason in _AUDITED:
                write_audit(
                    c,
                    tenant,
                    sql.start_of(count.day),
                    actor=f"{tenant}/{count.register}",
                    action="consent.refused",
                    subject=count.reason.value,
                    detail={"day": count.day},
                )

    async def without_frame(self, tenant: str, versions: Sequence[Version]) -> Sequence[Version]:
        """As the port says."""

        def work(c: Connection) -> list[Version]:
            names = [version.version for version in versions]
            known = {(row.object_key, row.version) for row in c.execute(sql.frames_with(tenant, names))}
            return [version for version in versions if (version.key, version.version) not in known]

        return await self._in_transaction(tenant, work)

    async def condemn(self, tenant: str, version: Condemned, now_ms: int) -> bool:
        """As the port says."""

        def work(c: Connection) -> bool:
            row = self._hot.row(c, tenant, version.register, version.message_id)
            if row is None or row.state is not State.CLAIMED:
                return row is None or row.version != version.version
            if row.token is not None and (row.lease_until_ms or 0) > now_ms:
                return False
            c.execute(sql.release(tenant, row))
            return True

        return await self._in_transaction(tenant, work)
