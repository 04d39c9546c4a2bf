"""A frame's end and the withdrawal of its consent, one after the other, whichever comes first.

Without it, PostgreSQL lets both read before either has written: the frame is stored because no withdrawal is
seen, and the erasure misses the frame because its row is not there yet. A row cannot be locked for it: the
withdrawal of a consent that nobody has seen has none. SQLite has one writer, which serialises them anyhow.
"""

import hashlib
from collections.abc import Iterable

from sqlalchemy import BigInteger, Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

_KEYS = bindparam("keys", type_=ARRAY(BigInteger))
_EXCLUSIVE = text("SELECT pg_advisory_xact_lock(key) FROM unnest(:keys) AS key").bindparams(_KEYS)
_SHARED = text("SELECT pg_advisory_xact_lock_shared(key) FROM unnest(:keys) AS key").bindparams(_KEYS)


def lock_to_withdraw(connection: Connection, tenant: str, consents: Iterable[bytes]) -> None:
    """Wait until no frame of these consents is being finished; none is before this transaction ends.

    To be called before anything else is read or locked in the transaction, or two could wait for each other.
    """
    _lock(connection, tenant, consents, shared=False)


def lock_to_finish(connection: Connection, tenant: str, consents: Iterable[bytes]) -> None:
    """Wait until none of these consents is being withdrawn; called first, as `lock_to_withdraw`.

    What is read after it shows every withdrawal that is not still to come. Frames do not wait for each other.
    """
    _lock(connection, tenant, consents, shared=True)


def _lock(connection: Connection, tenant: str, consents: Iterable[bytes], *, shared: bool) -> None:
    keys = sorted(
        {_key(tenant, consent) for consent in consents}
    )  # in order, or two could wait for each other
    if keys and connection.dialect.name == "postgresql":
        connection.execute(_SHARED if shared else _EXCLUSIVE, {"keys": keys}).all()


def _key(tenant: str, consent: bytes) -> int:
    """64 bits of a digest; two consents that share them wait for each other now and then."""
    digest = hashlib.sha256(b"topscoop/consent-lock\0" + tenant.encode() + b"\0" + consent).digest()
    return int.from_bytes(digest[:8], signed=True)
