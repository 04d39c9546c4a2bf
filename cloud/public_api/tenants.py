"""Which chain a request is for: its host says it, as `public_api.public_url` has it, and nothing else."""

from collections.abc import Callable
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request

from cloud.database.engine import Database
from cloud.public_api.shared_reads import SharedReads
from wire_protocol.identifiers import is_name

LOOK_AGAIN_S: Final = 1.0
"""A host that is unknown makes us look at the list of chains, at most so often: a new chain is found, and
somebody who tries names costs one statement a second."""
BELIEVED_S: Final = 60.0
"""So long a chain is believed to be there."""
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


class Hosts:
    """The chains' host names; pure.

    Args:
        public_url: With `{tenant}` as the first label of its host.
    """

    def __init__(self, public_url: str) -> None:
        address = urlsplit(public_url)
        self._scheme = address.scheme.lower()
        before, _, after = self._bare(address.netloc).partition("{tenant}")
        assert not before, "the configuration's pattern has it in front"
        self._suffix = after

    def tenant(self, host: str) -> str | None:
        """The chain that a `Host` header names, whether it exists or not; None where it is none of ours."""
        bare = self._bare(host)
        label = bare.removesuffix(self._suffix)
        return label if label != bare and is_name(label) else None

    def host(self, tenant: str) -> str:
        """What a client writes in `Host` for this chain."""
        return tenant + self._suffix

    def origin(self, tenant: str) -> str:
        """What a browser writes in `Origin` on this chain's pages."""
        return f"{self._scheme}://{self.host(tenant)}"

    @property
    def secure(self) -> bool:
        """Whether clients come by https."""
        return self._scheme == "https"

    def _bare(self, host: str) -> str:
        return host.lower().removesuffix(_DEFAULT_PORTS.get(self._scheme, ""))


class Tenants:
    """The chains that there are, remembered for a while; of one event loop.

    Args:
        monotonic: Seconds of a clock that never steps.
    """

    def __init__(self, database: Database, public_url: str, monotonic: Callable[[], float]) -> None:
        self.hosts = Hosts(public_url)
        self._database = database
        self._monotonic = monotonic
        self._known: frozenset[str] = frozenset()
        self._looked_at = float("-inf")
        self._looks = SharedReads[list[str]]()

    async def of_host(self, host: str) -> str | None:
        """The chain that a `Host` header names, if it exists. Raises DatabaseAway."""
        tenant = self.hosts.tenant(host)
        if tenant is None:
            return None
        age_s = self._monotonic() - self._looked_at
        if age_s > BELIEVED_S or (tenant not in self._known and age_s > LOOK_AGAIN_S):
            self._known = frozenset(await self._looks.read("tenants", self._database.tenants))
            self._looked_at = self._monotonic()
        return tenant if tenant in self._known else None


async def tenant_of(request: Request) -> str:
    """The chain that this request is for: the front door has looked."""
    tenant = request.state.tenant
    assert isinstance(tenant, str)
    return tenant


AtTenant = Annotated[str, Depends(tenant_of)]
"""Type of a route's parameter `tenant`."""
