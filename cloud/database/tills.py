"""Tills among the rows of `registers`; the one other row of a chain is the public API's.

Pictures that come by the public API are kept like those of registers: under a register's name, signed with a
key of that name, by the same rules and tables. No machine has that name: it gets no code, no certificate and
no rights at the broker, and no list of tills has it.
"""

from typing import Final

from sqlalchemy import ColumnElement, Connection, insert, select, update

from cloud.database.schema import register_keys, registers
from wire_protocol.keys import VerificationKey
from wire_protocol.topics import Identity

PUBLIC_API: Final = "public-api"
"""The reserved name."""
SERVICE: Final = "service"
"""Its state in `registers`; a till is `invited`, `enrolled` or `revoked`."""
IS_TILL: Final[ColumnElement[bool]] = registers.c.state != SERVICE


def public_api(tenant: str) -> Identity:
    """In whose name the pictures of a chain's public API are kept."""
    return Identity(tenant, PUBLIC_API)


def add_public_api(connection: Connection, tenant: str, key: VerificationKey, now_ms: int) -> bool:
    """Have the reserved name sign with this key; whether anything was written.

    What was signed with a key before stays verifiable.

    Args:
        connection: Of the chain.
        tenant: The chain.
        key: Public half of the service key `intake`.
        now_ms: Now.

    Raises:
        ValueError: An older version let a till have the name.
    """
    row, mine = registers.c, register_keys.c
    state = connection.execute(
        select(row.state).where(row.tenant == tenant, row.register == PUBLIC_API)
    ).scalar()
    if state is None:
        values = {"state": SERVICE, "store": PUBLIC_API, "created_at_ms": now_ms, "enrolled_at_ms": now_ms}
        connection.execute(insert(registers).values(tenant=tenant, register=PUBLIC_API, **values))
    elif state != SERVICE:
        raise ValueError(f"{tenant} has a till that is called {PUBLIC_API}")
    own = (mine.tenant == tenant, mine.register == PUBLIC_API)
    known = set(connection.execute(select(mine.kid).where(*own)).scalars())
    if key.kid in known:
        return state is None
    connection.execute(
        update(register_keys).where(*own, mine.valid_until_ms.is_(None)).values(valid_until_ms=now_ms)
    )
    connection.execute(
        insert(register_keys).values(
            tenant=tenant,
            register=PUBLIC_API,
            kid=key.kid,
            algorithm=int(key.algorithm),
            public=key.public,
            valid_from_ms=0,
        )
    )
    return True
