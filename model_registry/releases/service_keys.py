"""`service-keys.json`: the public keys of the cloud's services, as a signed target; pure."""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

from wire_protocol.errors import OperatorError

FORMAT: Final = "topscoop.service-keys/1"
_FIELDS: Final = ("purpose", "algorithm", "kid", "public", "valid_from_ms", "valid_until_ms")
_HEX = re.compile(r"(?:[0-9a-f]{2}){8,200}\Z")
_PURPOSE = re.compile(r"[a-z]{1,32}\Z")


def service_keys_file(printed: bytes, chain: str) -> bytes:
    """The target's bytes, from what `topscoop cloud tenant show CHAIN --json` printed.

    Raises:
        OperatorError: It is something else, of another chain, or holds no keys.
    """
    try:
        document: Any = json.loads(printed)
    except ValueError as error:
        _refuse(chain, f"cannot be read: {error}")
    if not isinstance(document, dict) or document.get("tenant") != chain:
        _refuse(chain, f"are not those of {chain}")
    keys = document.get("service_keys")
    if not isinstance(keys, list) or not keys:
        _refuse(chain, "are missing")
    # A key that only services use among themselves is no register's business.
    told = [key for key in keys if not isinstance(key, dict) or key.get("for_registers", True) is not False]
    rows = sorted((_row(chain, key) for key in told), key=lambda row: (row["purpose"], row["kid"]))
    return (json.dumps({"format": FORMAT, "tenant": chain, "keys": rows}, indent=1) + "\n").encode()


def _row(chain: str, key: Any) -> dict[str, Any]:
    if not isinstance(key, dict) or not set(_FIELDS) <= set(key):
        _refuse(chain, f"lack one of {', '.join(_FIELDS)}")
    row = {name: key[name] for name in _FIELDS}
    times = row["valid_from_ms"], row["valid_until_ms"]
    if not all(isinstance(row[name], str) and _HEX.match(row[name]) for name in ("kid", "public")):
        _refuse(chain, "have ids or keys that are no hex")
    if not isinstance(row["purpose"], str) or not _PURPOSE.match(row["purpose"]):
        _refuse(chain, "have a purpose that is no word")
    if not all(one is None or type(one) is int for one in times):
        _refuse(chain, "have times that are no milliseconds")
    return row


def _refuse(chain: str, problem: str) -> NoReturn:
    raise OperatorError(
        f"the service keys {problem}", remedy=f"Give what `topscoop cloud tenant show {chain} --json` prints."
    )
