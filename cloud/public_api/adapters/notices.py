"""The notices of a chain for pictures from phones: built in, or its own; what was shown stays known.

A text that somebody agreed to is never lost: a receipt names it by its digest for as long as it exists.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from cloud.database.schema import notices
from cloud.database.tenancy import Tenant, read_tenant
from cloud.public_api.problems import problem
from wire_protocol.consent import Method, Purpose
from wire_protocol.notices import FROM_A_PHONE, Notice, choose, fill

PURPOSES: Final = tuple(purpose.value for purpose in Purpose)
"""What every one of these notices asks for."""
STILL_AGREED_MS: Final = 24 * 3600 * 1000
"""A page that shows a text which was replaced meanwhile may be answered for so long."""
DAY_MS: Final = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class KnownNotice:
    """A text of the table.

    Attributes:
        replaced_at_ms: When the chain's next text in this language came; None for the newest.
        own: The chain's own; else a built-in one to which somebody agreed.
    """

    notice: Notice
    own: bool
    added_at_ms: int
    replaced_at_ms: int | None


def read_notices(connection: Connection, tenant: str) -> list[Notice]:
    """What is shown now: one notice a language, by language. [] where there is no such chain."""
    found = read_tenant(connection, tenant)
    if found is None:
        return []
    shown = _built_in(found)
    for known in known_notices(connection, tenant):
        if known.own and known.replaced_at_ms is None:
            shown[known.notice.language] = known.notice
    return [shown[language] for language in sorted(shown)]


def notice_for(connection: Connection, tenant: str, language: str | None) -> Notice:
    """The notice for somebody who reads this language (such as `de-AT`).

    Raises:
        Problem: `not-found`: there is no such chain.
    """
    shown = read_notices(connection, tenant)
    if not shown:
        raise problem("not-found", "this chain shows no notice")
    return choose(shown, language)


def agree(connection: Connection, tenant: str, language: str, sha256: bytes, now_ms: int) -> dict[str, Any]:
    """What an upload remembers of a person's yes (`uploads.consent`); the text is kept from here on.

    Args:
        connection: Of the transaction that writes the upload.
        tenant: The chain.
        language: Of the notice that was shown.
        sha256: Of its text.
        now_ms: When the yes was said.

    Raises:
        Problem: `notice-unknown`: no such text is shown here, or was until a day ago.
    """
    notice = _agreeable(connection, tenant, language.lower(), sha256, now_ms)
    if notice is None:
        raise problem("notice-unknown", "no notice of this chain has that language and digest")
    _keep(connection, tenant, notice, now_ms, own=False)
    return {
        "purposes": list(notice.purposes),
        "notice": notice.sha256.hex(),
        "language": notice.language,
        "method": Method.TOUCH.value,
        "granted_at_ms": now_ms,
        "expires_at_ms": now_ms + notice.valid_days * DAY_MS,
    }


def add_own(connection: Connection, tenant: Tenant, language: str, text: str, now_ms: int) -> Notice:
    """Show a chain's own text in this language from now on; the texts before stay known.

    Args:
        connection: Of the chain.
        tenant: The chain: its name and days stand for `{controller}` and `{valid_days}`.
        language: Such as `de`.
        text: `{purposes}`, `{valid_days}` and `{controller}` are filled in where they stand.
        now_ms: Now.

    Raises:
        ValueError: The text is empty or too long.
    """
    notice = fill(language.lower(), text, PURPOSES, tenant.retention_days, tenant.name)
    _keep(connection, tenant.tenant, notice, now_ms, own=True)
    return notice


def known_notices(connection: Connection, tenant: str) -> list[KnownNotice]:
    """Every text of the table, by language, the newest first."""
    row = notices.c
    statement = (
        select(row.language, row.text, row.valid_days, row.own, row.added_at_ms)
        .where(row.tenant == tenant)
        .order_by(row.language, row.added_at_ms.desc(), row.sha256)
    )
    found, replaced_at_ms = [], dict[str, int]()
    for language, text, valid_days, own, added_at_ms in connection.execute(statement):
        notice = Notice(language, text, PURPOSES, valid_days)
        found.append(KnownNotice(notice, own, added_at_ms, replaced_at_ms.get(language)))
        if own:
            replaced_at_ms[language] = added_at_ms
    return found


def text_of(connection: Connection, tenant: str, sha256: bytes) -> str | None:
    """The text that a receipt names; None where this chain never kept one of that digest."""
    statement = select(notices.c.text).where(notices.c.tenant == tenant, notices.c.sha256 == sha256)
    return connection.execute(statement).scalar()


def _built_in(tenant: Tenant) -> dict[str, Notice]:
    return {
        language: fill(language, text, PURPOSES, tenant.retention_days, tenant.name)
        for language, text in FROM_A_PHONE.items()
    }


def _agreeable(
    connection: Connection, tenant: str, language: str, sha256: bytes, now_ms: int
) -> Notice | None:
    for shown in read_notices(connection, tenant):
        if (shown.language, shown.sha256) == (language, sha256):
            return shown
    for known in known_notices(connection, tenant):
        recent = known.replaced_at_ms is not None and now_ms - known.replaced_at_ms <= STILL_AGREED_MS
        if recent and (known.notice.language, known.notice.sha256) == (language, sha256):
            return known.notice
    return None


def _keep(connection: Connection, tenant: str, notice: Notice, now_ms: int, *, own: bool) -> None:
    new: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = new(notices).values(
        tenant=tenant,
        language=notice.language,
        sha256=notice.sha256,
        text=notice.text,
        valid_days=notice.valid_days,
        own=own,
        added_at_ms=now_ms,
    )
    keys = list(notices.primary_key)
    if own:  # a text of before may be taken up again
        statement = statement.on_conflict_do_update(
            index_elements=keys, set_={"own": True, "added_at_ms": now_ms}
        )
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    connection.execute(statement)
