"""The stock of consent blanks for the public API, as statements; each method is one transaction."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import case, delete, func, insert, select

from cloud.database.engine import Database
from cloud.database.schema import registers, web_blanks
from cloud.database.tills import PUBLIC_API, SERVICE
from cloud.privacy.blank_issue import DAY_MS

SEALED_KEPT_MS: Final = 2 * DAY_MS
"""A picture that was sealed in a blank's last hour may wait so long for tomorrow's quota."""
_row = web_blanks.c


class WebBlanks:
    """Raises DatabaseAway."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def short(self, tenant: str, wanted: int, now_ms: int) -> int:
        """How many usable blanks lack to `wanted`; 0 where the chain has no public API yet."""
        has_name = select(registers.c.state).where(
            registers.c.tenant == tenant, registers.c.register == PUBLIC_API, registers.c.state == SERVICE
        )
        free = select(func.count()).where(
            _row.tenant == tenant, _row.request.is_(None), _row.usable_until_ms > now_ms
        )
        with self._database.tenant(tenant, read_only=True) as connection:
            if connection.execute(has_name).first() is None:
                return 0
            return max(0, wanted - int(connection.execute(free).scalar_one()))

    def add(self, tenant: str, signed: Mapping[bytes, bytes], usable_until_ms: int) -> None:
        """Put blanks into the stock: id -> signed bytes."""
        rows = [
            {"tenant": tenant, "blank": blank, "signed": data, "usable_until_ms": usable_until_ms}
            for blank, data in signed.items()
        ]
        with self._database.tenant(tenant) as connection:
            connection.execute(insert(web_blanks), rows)

    def forget_expired(self, tenant: str, now_ms: int) -> int:
        """Remove blanks that may not be filled any more; what was sealed to one waits as long as its key."""
        until_ms = _row.usable_until_ms + case((_row.message.is_not(None), SEALED_KEPT_MS), else_=0)
        over = (_row.tenant == tenant, until_ms <= now_ms)
        with self._database.tenant(tenant, read_only=True) as connection:
            if connection.execute(select(_row.blank).where(*over).limit(1)).first() is None:
                return 0  # nearly always: no reason to make writers wait
        with self._database.tenant(tenant) as connection:
            return int(connection.execute(delete(web_blanks).where(*over)).rowcount)
