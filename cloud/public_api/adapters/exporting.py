"""Everything that the public API has of one person, page by page; each page is one short transaction."""

import base64
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Row, Select, and_, select

from cloud.database.consent_ties import CAME_BY_PHONE, IS_WITHDRAWN
from cloud.database.engine import Database
from cloud.database.schema import consents, handovers, recommendations, uploads, withdrawals
from cloud.public_api.adapters.notices import text_of
from cloud.public_api.request_ids import maybe_instant, spelled

PAGE: Final = 200
"""Rows in memory at once."""


class Export:
    """One person's data.

    Args:
        database: Of the cloud.
        tenant: The chain.
        user: The person.
    """

    def __init__(self, database: Database, tenant: str, user: bytes) -> None:
        self._database = database
        self._tenant = tenant
        self._user = user

    def uploads(self) -> Iterator[dict[str, Any]]:
        """Oldest first."""
        row = uploads.c
        for one in self._pages(select(uploads).where(row.user == self._user), row.request):
            yield {
                "request_id": spelled(one.request),
                "state": one.state,
                "purpose": one.purpose,
                "content_type": one.content_type,
                "content_length": one.content_length,
                "sha256": one.sha256.hex(),
                "context": one.context,
                "issued_at": maybe_instant(one.issued_at_ms),
                "arrived_at": maybe_instant(one.arrived_at_ms),
                "ended_at": maybe_instant(one.ended_at_ms),
                "problem": one.problem,
                "picture_deleted_at": maybe_instant(one.deleted_at_ms),
                "consent_id": None if one.blank is None else one.blank.hex(),
            }

    def recommendations(self) -> Iterator[dict[str, Any]]:
        """Oldest first, each with what was bought."""
        row = recommendations.c
        for one in self._pages(select(recommendations).where(row.user == self._user), row.request):
            yield {
                "request_id": spelled(one.request),
                "created_at": maybe_instant(one.created_at_ms),
                "forgotten_at": maybe_instant(one.expires_at_ms),
                "source": one.source,
                "top3": one.slate,
                "release": one.release,
                "model_version": one.model_version,
                "picture_version": one.picture_version,
                "picture_sha256": one.picture_sha256.hex(),
                "outcome": one.outcome,
                "outcome_at": maybe_instant(one.outcome_at_ms),
            }

    def consents(self) -> Iterator[dict[str, Any]]:
        """Of pictures from phones and of hand-overs, each with its receipt and the text that it names."""
        texts: dict[bytes, str | None] = {}
        of_uploads = and_(uploads.c.tenant == consents.c.tenant, uploads.c.blank == consents.c.consent)
        for table, same in ((uploads, of_uploads), (handovers, CAME_BY_PHONE)):
            wanted = (
                select(consents, withdrawals.c.received_at_ms.label("withdrawn"))
                .join(table, same)
                .outerjoin(withdrawals, IS_WITHDRAWN)
                .where(table.c.user == self._user)
            )
            for one in self._pages(wanted, consents.c.consent):
                if one.notice not in texts:
                    texts[one.notice] = self._text(one.notice)
                yield _consent(one, texts[one.notice])

    def handovers(self) -> Iterator[dict[str, Any]]:
        """Consents that were given on a phone for a picture at a till."""
        row = handovers.c
        for one in self._pages(select(handovers).where(row.user == self._user), row.handover):
            yield {
                "handover_id": one.handover.hex(),
                "register": one.register,
                "interaction_id": spelled(one.interaction),
                "state": one.state,
                "purposes": one.purposes,
                "language": one.language,
                "notice_sha256": one.notice.hex(),
                "granted_at": maybe_instant(one.granted_at_ms),
            }

    def _text(self, notice: bytes) -> str | None:
        with self._database.tenant(self._tenant, read_only=True) as connection:
            return text_of(connection, self._tenant, notice)

    def _pages(self, wanted: Select[Any], key: Any) -> Iterator[Row[Any]]:
        after = b""
        while True:
            page = wanted.where(key.table.c.tenant == self._tenant, key > after).order_by(key).limit(PAGE)
            with self._database.tenant(self._tenant, read_only=True) as connection:
                found = connection.execute(page).all()
            yield from found
            if len(found) < PAGE:
                return
            after = bytes(found[-1]._mapping[key])  # noqa: SLF001 - SQLAlchemy's public name for it


def _consent(one: Row[Any], text: str | None) -> dict[str, Any]:
    return {
        "consent_id": one.consent.hex(),
        "register": one.register,
        "interaction_id": spelled(one.interaction),
        "purposes": one.purposes,
        "language": one.language,
        "notice_sha256": one.notice.hex(),
        "notice": text,
        "method": one.method,
        "granted_at": maybe_instant(one.granted_at_ms),
        "expires_at": maybe_instant(one.expires_at_ms),
        "withdrawn_at": maybe_instant(one.withdrawn),
        "receipt": base64.b64encode(one.receipt).decode(),
    }
