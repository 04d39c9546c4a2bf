"""Who looks at the pages: a session, and the chains that its operator may enter. Pure."""

from dataclasses import dataclass

from cloud.principal import Principal


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who is logged in.

    Attributes:
        session: SHA-256 of the cookie's secret: the session's row.
        csrf: What each form of this session carries.
        chain: The chain's name for people.
        frozen: Who froze all rollouts, and why; None where they are not.
        stopped: Who stopped all rollouts, and why.
    """

    principal: Principal
    session: bytes
    csrf: str
    chain: str
    frozen: str | None = None
    stopped: str | None = None
