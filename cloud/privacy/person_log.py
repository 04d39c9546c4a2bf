"""The erasure log of the public API, in S3 beside that of consents: whose rows a restored database must lose.

A backup holds uploads and recommendations of people who erased them later. The log says which, without
saying who: a digest of the pseudonym, or the id of one upload. An entry ends when no backup is left that
could need it.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final

ROOT: Final = "erasure-log-people"
_LABEL: Final = b"topscoop/erased-person\0"


@dataclass(frozen=True, slots=True)
class PersonEntry:
    """One erasure; one of `person` and `upload` is set.

    Args:
        tenant: Whose.
        proof: 32 hexadecimal digits.
        at_ms: Rows that were made later are not meant.
        person: `person_digest`, in hex: everything of that person.
        upload: An upload's id, in hex.
    """

    tenant: str
    proof: str
    at_ms: int
    person: str | None = None
    upload: str | None = None


def person_digest(tenant: str, user: bytes) -> str:
    """What the log has of a pseudonym; only who has the rows can tell whose it is."""
    return hashlib.sha256(_LABEL + tenant.encode() + b"\0" + user).hexdigest()


def entry_key(entry: PersonEntry) -> str:
    """`erasure-log-people/{tenant}/{yyyy}/{mm}/{proof}.json`."""
    at = datetime.fromtimestamp(entry.at_ms / 1000, tz=UTC)
    return f"{log_prefix(entry.tenant)}{at:%Y/%m}/{entry.proof}.json"


def log_prefix(tenant: str) -> str:
    """Every entry of a tenant begins so."""
    return f"{ROOT}/{tenant}/"


def entry_bytes(entry: PersonEntry) -> bytes:
    """As it is stored."""
    return json.dumps(asdict(entry), sort_keys=True).encode() + b"\n"


def parse_entry(data: bytes) -> PersonEntry:
    """What `entry_bytes` was given.

    Raises:
        ValueError: Something else; a restore stops there, for an erasure might be forgotten.
    """
    match json.loads(data):
        case {
            "tenant": str(tenant),
            "proof": str(proof),
            "at_ms": int(at_ms),
            "person": person,
            "upload": upload,
        }:
            named = [
                (one, size) for one, size in ((person, 32), (upload, 16), (proof, 16)) if one is not None
            ]
            if len(named) == 2 and all(_is_hex(one, size) for one, size in named):
                return PersonEntry(tenant, proof, at_ms, person, upload)
    raise ValueError(f"no entry of an erasure log: {data[:80]!r}")


def _is_hex(text: object, size: int) -> bool:
    return isinstance(text, str) and len(text) == 2 * size and len(bytes.fromhex(text)) == size
