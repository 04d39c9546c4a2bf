"""The vault in a database of its own: SQLite or PostgreSQL.

Opening holds a lock on the key's row (SQLite: on the database), so it is wholly before or wholly after a
destruction. After a destruction the files are scrubbed before anybody is told that the key is gone.
"""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Connection, and_, bindparam, delete, exists, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from cloud.database.engine import Database
from cloud.privacy import wrapping
from cloud.privacy.adapters.scrub import scrub
from cloud.privacy.errors import KeyGone, MasterKeyError
from cloud.privacy.key_schema import KEYS, consent_keys, day_keys
from cloud.privacy.ports import IssuedKey, MasterKey
from wire_protocol.identifiers import uuid7
from wire_protocol.sealing import unseal

DAY_KEYS_CACHED: Final = 64
"""Unwrapped day keys in memory; each saves one call to the master key's service."""

_TENANT = consent_keys.c.tenant == bindparam("of")
_LIVE = consent_keys.c.wrapped != wrapping.DESTROYED


class SqlKeyVault:
    """A `KeyVault`; may be used by several threads and processes at once.

    Args:
        url: Of the keys' database. On PostgreSQL the role owns the tables, because only an owner vacuums.
        master: Wraps the day keys.
    """

    def __init__(self, url: str, master: MasterKey) -> None:
        self.database = Database(url, KEYS)
        self._master = master
        self._days: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def migrate(self) -> None:
        """Make the tables, or bring them to this version. Raises DatabaseAway, DatabaseNotMigrated."""
        self.database.migrate()

    def issue(self, tenant: str, register: str, count: int, now_ms: int, ends_at_ms: int) -> list[IssuedKey]:
        """As the port says."""
        day = datetime.fromtimestamp(now_ms / 1000, tz=UTC).date().isoformat()
        day_key = self._day_key(tenant, day, create=True)
        issued, rows = [], []
        for _ in range(count):
            private = X25519PrivateKey.generate()
            blank = uuid7(now_ms, secrets.token_bytes(10)).bytes
            nonce = secrets.token_bytes(wrapping.NONCE_BYTES)
            binding = wrapping.consent_binding(tenant, blank)
            wrapped = wrapping.wrap(private.private_bytes_raw(), day_key, binding, nonce)
            issued.append(IssuedKey(blank, private.public_key().public_bytes_raw()))
            rows.append(
                {
                    "tenant": tenant,
                    "blank": blank,
                    "register": register,
                    "day": day,
                    "wrapped": wrapped,
                    "issued_at_ms": now_ms,
                    "ends_at_ms": ends_at_ms,
                    "used": False,
                }
            )
        if rows:
            with self.database.tenant(tenant) as connection:
                connection.execute(insert(consent_keys), rows)
        return issued

    def unseal(self, tenant: str, blank: bytes, sealed: bytes, info: bytes) -> bytes:
        """As the port says."""
        wanted = (
            select(consent_keys.c.day, consent_keys.c.wrapped)
            .where(_TENANT, consent_keys.c.blank == blank, _LIVE)
            .with_for_update(read=True)
        )
        with self.database.tenant(tenant) as connection:
            row = connection.execute(wanted, {"of": tenant}).first()
            if row is None:
                raise KeyGone(f"there is no key of consent {blank.hex()}")
            day_key = self._day_key(tenant, row.day, connection=connection)
            private = wrapping.unwrap(row.wrapped, day_key, wrapping.consent_binding(tenant, blank))
            return unseal(sealed, private, info)

    def destroy(self, tenant: str, blanks: Sequence[bytes]) -> None:
        """As the port says."""
        gone = (
            update(consent_keys)
            .where(_TENANT, consent_keys.c.blank == bindparam("which"))
            .values(wrapped=wrapping.DESTROYED)
        )
        if not blanks:
            return
        with self.database.tenant(tenant) as connection:
            connection.execute(gone, [{"of": tenant, "which": blank} for blank in blanks])
        # Always, also where nothing changed: the call before may have died between commit and scrubbing.
        scrub(self.database)

    def live(self, tenant: str, register: str, issued_from_ms: int) -> list[bytes]:
        """As the port says."""
        found = select(consent_keys.c.blank).where(
            _TENANT,
            consent_keys.c.register == register,
            consent_keys.c.issued_at_ms >= issued_from_ms,
            _LIVE,
        )
        with self.database.tenant(tenant, read_only=True) as connection:
            return list(connection.execute(found, {"of": tenant}).scalars())

    def ended(self, tenant: str, now_ms: int, limit: int) -> list[bytes]:
        """As the port says."""
        found = (
            select(consent_keys.c.blank)
            .where(_TENANT, consent_keys.c.used.is_(False), consent_keys.c.ends_at_ms <= now_ms, _LIVE)
            .order_by(consent_keys.c.ends_at_ms)
            .limit(limit)
        )
        with self.database.tenant(tenant, read_only=True) as connection:
            return list(connection.execute(found, {"of": tenant}).scalars())

    def mark_used(self, tenant: str, blanks: Sequence[bytes]) -> None:
        """As the port says."""
        mark = (
            update(consent_keys).where(_TENANT, consent_keys.c.blank == bindparam("which")).values(used=True)
        )
        if blanks:
            with self.database.tenant(tenant) as connection:
                connection.execute(mark, [{"of": tenant, "which": blank} for blank in blanks])

    def register_of(self, tenant: str, blank: bytes) -> str | None:
        """As the port says."""
        found = select(consent_keys.c.register).where(_TENANT, consent_keys.c.blank == blank)
        with self.database.tenant(tenant, read_only=True) as connection:
            return connection.execute(found, {"of": tenant}).scalar()

    def forget(self, tenant: str, now_ms: int) -> int:
        """As the port says; day keys that wrap nothing any more go with them."""
        rows = delete(consent_keys).where(
            _TENANT, consent_keys.c.wrapped == wrapping.DESTROYED, consent_keys.c.ends_at_ms <= now_ms
        )
        today = datetime.fromtimestamp(now_ms / 1000, tz=UTC).date().isoformat()
        of_day = and_(consent_keys.c.tenant == day_keys.c.tenant, consent_keys.c.day == day_keys.c.day)
        days = delete(day_keys).where(
            day_keys.c.tenant == bindparam("of"),
            day_keys.c.day < today,
            ~exists().where(of_day),
        )
        with self.database.tenant(tenant) as connection:
            removed = connection.execute(rows, {"of": tenant}).rowcount
            days_removed = connection.execute(days, {"of": tenant}).rowcount
        if removed or days_removed:
            scrub(self.database)
        with self._lock:
            for key in [key for key in self._days if key[0] == tenant]:
                del self._days[key]
        return removed

    def close(self) -> None:
        """Close the connections and forget the unwrapped day keys."""
        with self._lock:
            self._days.clear()
        self.database.close()

    def _day_key(
        self, tenant: str, day: str, *, create: bool = False, connection: Connection | None = None
    ) -> bytes:
        with self._lock:
            if (tenant, day) in self._days:
                self._days.move_to_end((tenant, day))
                return self._days[tenant, day]
        if connection is not None:
            wrapped = _stored_day_key(connection, tenant, day)
        else:
            with self.database.tenant(tenant, read_only=True) as reading:
                wrapped = _stored_day_key(reading, tenant, day)
        if wrapped is None and create:
            fresh = self._master.wrap(secrets.token_bytes(wrapping.KEY_BYTES), tenant, day)
            with self.database.tenant(tenant) as writing:
                # Of two keepers one makes the day's key and both use it.
                writing.execute(_insert_once(writing, {"tenant": tenant, "day": day, "wrapped": fresh}))
                wrapped = _stored_day_key(writing, tenant, day)
        if wrapped is None:
            raise MasterKeyError(
                f"the day key of {tenant} on {day} is missing", remedy="Restore the database of consent keys."
            )
        key = self._master.unwrap(wrapped, tenant, day)
        with self._lock:
            self._days[tenant, day] = key
            while len(self._days) > DAY_KEYS_CACHED:
                self._days.popitem(last=False)
        return key


def _stored_day_key(connection: Connection, tenant: str, day: str) -> bytes | None:
    found = select(day_keys.c.wrapped).where(day_keys.c.tenant == tenant, day_keys.c.day == day)
    return connection.execute(found).scalar()


def _insert_once(connection: Connection, row: dict[str, Any]) -> Any:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(day_keys).values(row).on_conflict_do_nothing()
