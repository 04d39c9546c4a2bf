"""What the pages share: stores, login, clock, rendering. One object per process."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol
from urllib.parse import urlsplit

from fastapi import Depends, Request

from cloud.config import CloudConfig
from cloud.console.adapters.sessions import Sessions
from cloud.console.charts.press import Press
from cloud.console.cookies import CookieNames
from cloud.console.live_hub import LiveHub
from cloud.console.recent import Recent
from cloud.database.engine import Database
from cloud.identity.values import Identity, LoginAttempt
from cloud.rollout.desk import Desk as RolloutDesk


class Login(Protocol):
    """The identity provider, as `cloud.identity.code_flow.CodeFlow`."""

    @property
    def issuer(self) -> str:
        """Exactly as the provider calls itself."""

    def begin(self, goal: str) -> tuple[LoginAttempt, str]:
        """What the browser keeps, and where it goes. Raises ProviderAway, LoginFailed."""

    def finish(self, attempt: LoginAttempt | None, answer: Any) -> Identity:
        """Who it is. Raises LoginFailed, ProviderAway."""

    def end_url(self) -> str | None:
        """Where the provider's own session is ended."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What every page may use.

    Attributes:
        now_ms: The clock.
    """

    config: CloudConfig
    database: Database
    sessions: Sessions
    login: Login
    live: LiveHub
    now_ms: Callable[[], int]
    press: Press = field(default_factory=Press)
    recent: Recent = field(default_factory=Recent)

    @property
    def rollouts(self) -> RolloutDesk:
        """Where rollouts are planned, looked at and stopped; asks for the role itself."""
        return RolloutDesk(self.database, self.now_ms)

    @property
    def origin(self) -> str:
        """Scheme, host and port as browsers write them in `Origin`."""
        address = urlsplit(self.config.console.public_url)
        return f"{address.scheme}://{address.netloc}".lower()

    @property
    def host(self) -> str:
        """What browsers write in `Host`."""
        return urlsplit(self.config.console.public_url).netloc.lower()

    @property
    def cookies(self) -> CookieNames:
        """The cookies' names."""
        return CookieNames(secure=self.config.console.public_url.startswith("https://"))


def desk_of(request: Request) -> Desk:
    """The process's desk."""
    desk = request.app.state.desk
    assert isinstance(desk, Desk)
    return desk


AtDesk = Annotated[Desk, Depends(desk_of)]
"""Type of a route's parameter `desk`."""
