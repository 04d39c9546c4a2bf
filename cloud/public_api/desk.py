"""What the routes share: configuration, database, clock and the parts of others. One object per process."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from cloud.config import CloudConfig
from cloud.database.engine import Database
from cloud.identity.issuers import Issuers
from cloud.intake.arrivals import Arrivals
from cloud.intake.signed_urls import UrlSigner
from cloud.public_api.answers import Answers, Places
from cloud.public_api.cookies import CookieNames
from cloud.public_api.day_quota import DayQuota
from cloud.public_api.erasing import Erasing
from cloud.public_api.errands import Errands
from cloud.public_api.limits import Limits
from cloud.public_api.metrics import ApiMetrics
from cloud.public_api.tenants import Tenants
from cloud.public_api.tries import Tries
from cloud.public_api.turnstile import Turnstile


@dataclass(frozen=True, slots=True)
class Desk:
    """What every route may use; `composition.build_desk` puts it together.

    Attributes:
        now_ms: The clock.
        issuers: Where the chains' people log in.
        errands: What asks them, which may take long.
        answers: Who waits for which recommendation.
        day_quota: The chains' uploads of today.
        exports: How many are written now.
    """

    config: CloudConfig
    database: Database
    now_ms: Callable[[], int]
    tenants: Tenants
    issuers: Issuers
    errands: Errands
    tries: Tries
    limits: Limits
    day_quota: DayQuota
    turnstile: Turnstile
    metrics: ApiMetrics
    signer: UrlSigner
    arrivals: Arrivals
    answers: Answers
    exports: Places
    erasing: Erasing

    @property
    def cookies(self) -> CookieNames:
        """The cookies' names."""
        return CookieNames(secure=self.tenants.hosts.secure)

    def origin(self, tenant: str) -> str:
        """Scheme, host and port of a chain's API, as browsers write them in `Origin`."""
        return self.tenants.hosts.origin(tenant)


async def desk_of(request: Request) -> Desk:
    """The process's desk."""
    desk = request.app.state.desk
    assert isinstance(desk, Desk)
    return desk


AtDesk = Annotated[Desk, Depends(desk_of)]
"""Type of a route's parameter `desk`."""
