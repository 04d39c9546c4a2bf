"""Who may ask now: counts requests by credential, person and address, by the limits of each chain.

Each process counts for itself: n of them let up to n times as much through. What a chain may upload in a day
stands in the database and holds for all of them together.
"""

import hashlib
import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from starlette.requests import HTTPConnection
from starlette.types import Scope

from cloud.config import PublicApiConfig
from cloud.database.engine import Database
from cloud.public_api.adapters.api_limits import ApiLimits, read_limits
from cloud.public_api.caller import Caller
from cloud.public_api.problems import problem
from cloud.public_api.rates import WINDOW_MS, Allowance, MovingWindow
from cloud.public_api.shared_reads import SharedReads

BELIEVED_MS: Final = 10_000
"""So long a chain's limits are remembered: a change takes effect after that."""
SHARED_ADDRESS: Final = 10
"""So many people and machines behind one address may use up their limits at once."""
_TENANTS_MAX: Final = 10_000
_V6_PREFIX: Final = 64
"""One household has at least so many addresses."""


class Limits:
    """The counters of this process; any thread may use it.

    Args:
        config: What holds for a chain without limits of its own.
        database: Where the others' stand.
        now_ms: The clock.
    """

    def __init__(self, config: PublicApiConfig, database: Database, now_ms: Callable[[], int]) -> None:
        self._config = config
        self._database = database
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._reads = SharedReads[ApiLimits]()
        self._windows = MovingWindow()
        self._known: OrderedDict[str, tuple[int, ApiLimits]] = OrderedDict()
        self._gateways = config.gateway_networks

    async def of(self, tenant: str) -> ApiLimits:
        """A chain's limits, for the event loop. Raises DatabaseAway."""
        found = self._fresh(tenant)
        if found is None:
            found = await self._reads.read(tenant, lambda: self._read(tenant))
        return found

    def of_now(self, tenant: str) -> ApiLimits:
        """A chain's limits, for a thread. Raises DatabaseAway."""
        return self._fresh(tenant) or self._read(tenant)

    async def admit(self, scope: Scope, tenant: str) -> None:
        """Count a request before anything is known of who sends it: by its credential, else by its address.

        So a flood under one token, or without any, costs neither a thread nor a statement.

        Raises:
            Problem: `too-many-requests`.
        """
        limit = (await self.of(tenant)).requests_per_minute
        headers = HTTPConnection(scope).headers
        credential = headers.get("authorization") or headers.get("cookie")
        address = self.address(scope)
        # Whoever makes up a new credential each time is one address still.
        self._count(scope, "requests", _key("address", tenant, address), SHARED_ADDRESS * limit)
        if credential is None:
            self._count(scope, "requests", _key("nobody", tenant, address), limit)
            return
        self._count(scope, "requests", _key("credential", tenant, credential), limit)
        if "authorization" not in headers:
            return  # a browser's neighbour may have an old token; nobody guesses sessions by the minute
        with self._lock:
            guesses = self._windows.look(_key("guess", tenant, address), limit, self._now_ms())
        if guesses.wait_ms:
            raise _refusal("requests", guesses, "too many wrong tokens came from this address")

    def wrong_credential(self, scope: Scope, tenant: str) -> None:
        """A token was not accepted: who tries many is not listened to. Raises DatabaseAway."""
        key = _key("guess", tenant, self.address(scope))
        with self._lock:
            self._windows.count(key, self.of_known(tenant).requests_per_minute, self._now_ms())

    async def request_of(self, scope: Scope, caller: Caller) -> None:
        """Count a request of somebody who is known now, whichever of their credentials they used.

        Raises:
            Problem: `too-many-requests`.
        """
        limit = (await self.of(caller.tenant)).requests_per_minute
        self._count(scope, "requests", _key("user", caller.tenant, caller.user), limit)

    def upload_of(self, scope: Scope, caller: Caller) -> None:
        """Count a new upload. Raises Problem `too-many-requests`."""
        limit = self.of_now(caller.tenant).uploads_per_minute
        self._count(scope, "uploads", _key("uploads", caller.tenant, caller.user), limit)

    def of_known(self, tenant: str) -> ApiLimits:
        """A chain's limits as they were last read, without asking the database."""
        found = self._known.get(tenant)
        return ApiLimits.of_config(self._config) if found is None else found[1]

    def address(self, scope: Scope) -> str:
        """Where a request comes from; of an IPv6 address, its network.

        A gateway of ours appends it to `X-Forwarded-For`; nobody else is believed.
        """
        peer = str((scope.get("client") or ("",))[0])
        found = _parsed(peer)
        if found is not None and any(found in network for network in self._gateways):
            forwarded = HTTPConnection(scope).headers.getlist("x-forwarded-for")
            found = _parsed(forwarded[-1].rpartition(",")[2].strip() if forwarded else "") or found
        if found is None:
            return peer
        if found.version == 6:
            return str(ipaddress.ip_network((found, _V6_PREFIX), strict=False))
        return str(found)

    def _count(self, scope: Scope, what: str, key: bytes, limit: int) -> None:
        with self._lock:
            allowance = self._windows.count(key, limit, self._now_ms())
        scope["state"].setdefault("allowances", {})[what] = allowance
        if allowance.wait_ms:
            raise _refusal(what, allowance, f"{limit} {what} a minute are allowed here")

    def _fresh(self, tenant: str) -> ApiLimits | None:
        found = self._known.get(tenant)
        return None if found is None or not 0 <= self._now_ms() - found[0] < BELIEVED_MS else found[1]

    def _read(self, tenant: str) -> ApiLimits:
        with self._database.tenant(tenant, read_only=True) as connection:
            limits = read_limits(connection, tenant, self._config)
        with self._lock:
            self._known[tenant] = (self._now_ms(), limits)
            self._known.move_to_end(tenant)
            if len(self._known) > _TENANTS_MAX:
                self._known.popitem(last=False)
        return limits


def headers_of(allowances: dict[str, Allowance]) -> dict[str, str]:
    """`RateLimit` and `RateLimit-Policy`, as the IETF's draft of the two fields has them."""
    if not allowances:
        return {}
    window_s = WINDOW_MS // 1000
    return {
        "RateLimit-Policy": ", ".join(
            f'"{what}";q={one.limit};w={window_s}' for what, one in allowances.items()
        ),
        "RateLimit": ", ".join(
            f'"{what}";r={one.remaining};t={_seconds(one.wait_ms or one.reset_ms)}'
            for what, one in allowances.items()
        ),
    }


def _refusal(what: str, allowance: Allowance, detail: str) -> Exception:
    return problem(
        "too-many-requests", detail, headers={"Retry-After": str(_seconds(allowance.wait_ms))}, limit=what
    )


def _seconds(ms: int) -> int:
    return max(1, -(-ms // 1000))


def _key(kind: str, tenant: str, value: str | bytes) -> bytes:
    """16 bytes, whatever somebody sent."""
    raw = value.encode() if isinstance(value, str) else value
    return hashlib.blake2b(b"\0".join((kind.encode(), tenant.encode(), raw)), digest_size=16).digest()


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
