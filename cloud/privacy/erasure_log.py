"""The erasure log in S3: one object a consent, written before anything is destroyed.

A restored database knows nothing of later erasures; the log does. It holds nothing about a person: a
consent's id is random and leads nowhere once its rows are gone.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final

ROOT: Final = "erasure-log"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One consent that ends.

    Args:
        tenant: Whose.
        consent: 32 hexadecimal digits.
        source: Who ended it: `register`, `operator`, `customer` or `retention`.
        received_at_ms: When the cloud learned of it.
    """

    tenant: str
    consent: str
    source: str
    received_at_ms: int


def entry_key(entry: LogEntry) -> str:
    """`erasure-log/{tenant}/{yyyy}/{mm}/{consent}.json`; a repeated step writes the same object."""
    at = datetime.fromtimestamp(entry.received_at_ms / 1000, tz=UTC)
    return f"{ROOT}/{entry.tenant}/{at:%Y/%m}/{entry.consent}.json"


def log_prefix(tenant: str) -> str:
    """Every entry of a tenant begins so."""
    return f"{ROOT}/{tenant}/"


def entry_bytes(entry: LogEntry) -> bytes:
    """As it is stored: a pure function of the withdrawal's row."""
    return json.dumps(asdict(entry), sort_keys=True).encode() + b"\n"


def parse_entry(data: bytes) -> LogEntry:
    """What `entry_bytes` was given.

    Raises:
        ValueError: Something else; a restore stops there, for an erasure might be forgotten.
    """
    match json.loads(data):
        case {
            "tenant": str(tenant),
            "consent": str(consent),
            "source": str(source),
            "received_at_ms": int(received_at_ms),
            **rest,
        } if not rest and len(bytes.fromhex(consent)) == 16:
            return LogEntry(tenant, consent, source, received_at_ms)
    raise ValueError(f"no entry of an erasure log: {data[:80]!r}")
