"""How a page becomes live: its module lists in `LIVE` what of it changes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from starlette.routing import compile_path

from cloud.console.desk import Desk
from cloud.console.live import Parts
from cloud.principal import Principal

ReadParts = Callable[[Desk, Principal, Mapping[str, str], Mapping[str, str]], Parts]
"""Of a page: (desk, principal, parameters, query) -> parts. No forms: they belong to a session."""


@dataclass(frozen=True, slots=True)
class LivePage:
    """A page by its route, such as `/rollouts/{rollout}`."""

    route: str
    parts: ReadParts


def find_live(
    pages: Iterable[LivePage], page: str
) -> tuple[LivePage, Mapping[str, str], Mapping[str, str]] | None:
    """The live page at an address of this console, its parameters and its query; None where none is."""
    address = urlsplit(page)
    for one in pages:
        match = compile_path(one.route)[0].match(address.path)
        if match is not None and not address.netloc:
            return one, match.groupdict(), dict(parse_qsl(address.query))
    return None
