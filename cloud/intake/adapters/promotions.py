"""Statements over pictures that are to be kept: a blank for the upload, the sealed picture, its version.

The upload's row decides against an erasure: whoever comes second waits for it. A transaction that holds it
may go on to lock consents (`cloud.database.consent_lock`); none goes the other way.
"""

from typing import Any

from sqlalchemy import Connection, delete, select, update

from cloud.database.engine import Database
from cloud.database.schema import recommendations, uploads, web_blanks
from cloud.intake.errors import NoBlankLeft
from cloud.intake.promotion_values import Sealed, Taken
from cloud.intake.values import Purpose, UploadState

_upload, _blank = uploads.c, web_blanks.c


class Promotions:
    """Each method is one transaction of one chain and raises DatabaseAway."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, tenant: str, request: bytes, now_ms: int) -> Taken | None:
        """The blank of an upload, taken from the stock the first time.

        Returns:
            None where nothing is to be kept (any more): the upload is gone, erased, without a consent, or its
            picture was deposited before.

        Raises:
            NoBlankLeft: The stock is empty; the keeper fills it.
        """
        wanted = (
            select(_upload.blank, _upload.consent, _upload.arrived_at_ms)
            .where(
                *_is_upload(tenant, request),
                _upload.state == UploadState.DONE.value,
                _upload.purpose == Purpose.RECOMMEND_AND_IMPROVE.value,
                _upload.consent.is_not(None),
            )
            .with_for_update()
        )
        with self._database.tenant(tenant) as connection:
            row = connection.execute(wanted).first()
            if row is None or not row.consent:
                return None
            if row.blank is None:
                blank, signed = _from_stock(connection, tenant, request, now_ms)
                connection.execute(update(uploads).where(*_is_upload(tenant, request)).values(blank=blank))
                return Taken(blank, signed, row.consent, row.arrived_at_ms, None)
            mine = select(_blank.signed, _blank.message).where(
                _blank.tenant == tenant, _blank.blank == row.blank, _blank.request == request
            )
            found = connection.execute(mine).first()
            if found is None:
                return None
            return Taken(bytes(row.blank), found.signed, row.consent, row.arrived_at_ms, found.message)

    def save(self, tenant: str, request: bytes, blank: bytes, message: bytes) -> bytes | None:
        """Keep the sealed picture until it is deposited; durable when this returns.

        Returns:
            The message that counts: another worker's, where one was faster. None after an erasure.
        """
        mine = (_blank.tenant == tenant, _blank.blank == blank, _blank.request == request)
        with self._database.tenant(tenant) as connection:
            connection.execute(
                update(web_blanks).where(*mine, _blank.message.is_(None)).values(message=message)
            )
            return connection.execute(select(_blank.message).where(*mine)).scalar()

    def end(self, tenant: str, request: bytes, blank: bytes, version: str | None) -> None:
        """The picture is deposited as this version, or (None) will never be; the blank is used up.

        Nothing waits for the blank of a picture that was withdrawn or refused: see `public_api.forgetting`.
        """
        with self._database.tenant(tenant) as connection:
            if version is not None:
                connection.execute(
                    update(recommendations)
                    .where(recommendations.c.tenant == tenant, recommendations.c.request == request)
                    .values(picture_version=version)
                )
            connection.execute(delete(web_blanks).where(_blank.tenant == tenant, _blank.blank == blank))

    def sealed(self, tenant: str, before_ms: int, limit: int) -> list[Sealed]:
        """Pictures of uploads that arrived before then and are not deposited."""
        same = (_upload.tenant == _blank.tenant) & (_upload.request == _blank.request)
        statement = (
            select(_blank.request, _blank.blank, _blank.message)
            .join(uploads, same)
            .where(_blank.tenant == tenant, _blank.message.is_not(None), _upload.arrived_at_ms < before_ms)
            .order_by(_upload.arrived_at_ms)
            .limit(limit)
        )
        with self._database.tenant(tenant, read_only=True) as connection:
            return [Sealed(*row) for row in connection.execute(statement)]


def _from_stock(connection: Connection, tenant: str, request: bytes, now_ms: int) -> tuple[bytes, bytes]:
    free = (
        select(_blank.blank)
        .where(_blank.tenant == tenant, _blank.request.is_(None), _blank.usable_until_ms > now_ms)
        .order_by(_blank.usable_until_ms, _blank.blank)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    # PostgreSQL: the row stays locked to the end of this transaction. SQLite has one writer.
    blank = connection.execute(free).scalar()
    if blank is None:
        raise NoBlankLeft(
            f"{tenant} has no consent blank for pictures of the public API",
            remedy="The keeper fills the stock; see that it runs, and `keeper.web_blanks`.",
        )
    take = (
        update(web_blanks)
        .where(_blank.tenant == tenant, _blank.blank == blank, _blank.request.is_(None))
        .values(request=request)
        .returning(_blank.blank, _blank.signed)
    )
    taken, signed = connection.execute(take).one()
    return taken, signed


def _is_upload(tenant: str, request: bytes) -> tuple[Any, ...]:
    return _upload.tenant == tenant, _upload.request == request
