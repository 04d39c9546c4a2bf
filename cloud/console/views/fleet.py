"""The fleet page's question and its rows: which registers, in which order, and what is said of each. Pure."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Self
from urllib.parse import urlencode

from cloud.console.errors import BadQuery
from cloud.console.views.update_words import ModelFacts, model_verdict
from wire_protocol.identifiers import is_name

PAGE: Final = 50
"""Rows of a page; a screen or two."""
SEARCH_MAX: Final = 64


class Presence(StrEnum):
    """What is known of a register's whereabouts."""

    ONLINE = "online"
    SILENT = "silent"  # it says that it is connected, and no report came for a while
    OFFLINE = "offline"
    NEVER = "never"
    INVITED = "invited"
    REVOKED = "revoked"


class Attention(StrEnum):
    """What of a register somebody should look at; several may hold."""

    CERTIFICATE_EXPIRED = "certificate-expired"
    UPDATE_FAILED = "update-failed"
    SILENT = "silent"
    NEVER = "never"
    CERTIFICATE = "certificate"
    METADATA = "metadata"
    BLANKS = "blanks"
    SPOOL = "spool"


ANY: Final = "any"
"""Of `attention`: whatever it is."""
ATTENTION_WORDS: Final[Mapping[Attention, tuple[str, str]]] = {
    Attention.CERTIFICATE_EXPIRED: ("certificate expired", "bad"),
    Attention.UPDATE_FAILED: ("update failed", "bad"),
    Attention.SILENT: ("silent", "warn"),
    Attention.NEVER: ("never heard of", "warn"),
    Attention.CERTIFICATE: ("certificate ends soon", "warn"),
    Attention.METADATA: ("release list expired", "warn"),
    Attention.BLANKS: ("few consent blanks", "warn"),
    Attention.SPOOL: ("much unsent", "warn"),
}
PRESENCE_WORDS: Final[Mapping[Presence, tuple[str, str]]] = {
    Presence.ONLINE: ("online", "good"),
    Presence.SILENT: ("silent", "warn"),
    Presence.OFFLINE: ("offline", "quiet"),
    Presence.NEVER: ("never heard of", "warn"),
    Presence.INVITED: ("invited", "info"),
    Presence.REVOKED: ("revoked", "quiet"),
}


class Sort(StrEnum):
    """Columns that the table can be sorted by."""

    REGISTER = "register"
    STORE = "store"
    SEEN = "seen"
    MODEL = "model"
    P99 = "p99"
    SPOOL = "spool"
    BLANKS = "blanks"
    CERTIFICATE = "certificate"


TEXT_SORTS: Final = frozenset({Sort.REGISTER, Sort.STORE})
_PLACE_MAX: Final = 200
_VALUE_MAX: Final = 1e18


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins or ends: the sort's value there, and the register, which makes it unique."""

    value: str | float
    register: str

    def text(self) -> str:
        """As the address has it."""
        return base64.urlsafe_b64encode(json.dumps([self.value, self.register]).encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str, sort: Sort) -> Self:
        """Read it, as the edge of a page that is sorted so. Raises BadQuery."""
        try:
            value, register = json.loads(base64.urlsafe_b64decode(text[:_PLACE_MAX] + "=" * (-len(text) % 4)))
        except (ValueError, TypeError):
            value, register = None, None
        kinds = {str} if sort in TEXT_SORTS else {int, float}
        fits = type(value) in kinds and type(register) is str and is_name(register)
        if not fits or not (is_name(value) if sort in TEXT_SORTS else abs(value) < _VALUE_MAX):
            raise BadQuery("this address names a page that never was", remedy="Begin at the first page.")
        return cls(value, register)


@dataclass(frozen=True, slots=True)
class FleetQuery:
    """What the page shows; the address holds all of it, so that a link shows the same to a colleague.

    Attributes:
        search: Part of a register's or store's name.
        release: Attested as running; 0: none of a known number.
        attention: A member of `Attention`, or ANY.
        after, before: The page's edge; at most one of them.
    """

    search: str = ""
    store: str = ""
    presence: Presence | None = None
    release: int | None = None
    attention: str = ""
    sort: Sort = Sort.REGISTER
    descending: bool = False
    after: Place | None = None
    before: Place | None = None

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> Self:
        """Read an address's query. Raises BadQuery."""
        sort = query.get("sort", "") or Sort.REGISTER.value
        release, store = query.get("release", ""), query.get("store", "")
        after, before = query.get("after", ""), query.get("before", "")
        if store and not is_name(store):
            raise BadQuery("no store is called that", remedy="Begin at the fleet's first page.")
        try:
            key = Sort(sort.removeprefix("-"))
            attention = query.get("attention", "")
            return cls(
                search=query.get("q", "").strip().lower().replace("\0", "")[:SEARCH_MAX],
                store=store,
                presence=Presence(query["state"]) if query.get("state") else None,
                release=int(release[:10]) if release else None,
                attention=attention if attention in {"", ANY} else Attention(attention).value,
                sort=key,
                descending=sort.startswith("-"),
                after=Place.parse(after, key) if after else None,
                before=Place.parse(before, key) if before and not after else None,
            )
        except ValueError as error:
            raise BadQuery(
                f"this address asks for something that there is not: {error}",
                remedy="Begin at the fleet's first page.",
            ) from error

    def first(self) -> Self:
        """The same, from its first page on."""
        return replace(self, after=None, before=None)

    def narrowed(self) -> bool:
        """Whether anything is filtered."""
        return bool(self.search or self.store or self.presence or self.attention) or self.release is not None

    def sorted_by(self, sort: Sort) -> Self:
        """The same by another column; by the same, the other way round."""
        descending = not self.descending if sort is self.sort else sort in {Sort.P99, Sort.SPOOL, Sort.SEEN}
        return replace(self.first(), sort=sort, descending=descending)

    @property
    def order(self) -> str:
        """The sort as the address has it; empty for the usual one."""
        usual = (self.sort, self.descending) == (Sort.REGISTER, False)
        return "" if usual else ("-" if self.descending else "") + self.sort

    def href(self, path: str = "/fleet") -> str:
        """The address that says the same."""
        values = {
            "q": self.search,
            "store": self.store,
            "state": self.presence or "",
            "release": "" if self.release is None else str(self.release),
            "attention": self.attention,
            "sort": self.order,
            "after": self.after.text() if self.after else "",
            "before": self.before.text() if self.before else "",
        }
        text = urlencode({name: value for name, value in values.items() if value})
        return f"{path}?{text}" if text else path


@dataclass(frozen=True, slots=True)
class FleetRow:
    """One register as the table shows it.

    Attributes:
        running_release: By the digest that the register attests; None for a digest of no listed release.
        desired_known: Whether anything was ever desired of it.
    """

    register: str
    store: str
    presence: Presence
    attention: tuple[Attention, ...]
    place: Place
    received_at_ms: int | None
    agent_version: str | None
    running_release: int | None
    running_digest: str | None
    desired_known: bool
    desired_release: int | None
    desired_digest: str | None
    update_release: int | None
    update_state: str | None
    update_reason: str | None
    p50_ms: float | None
    p99_ms: float | None
    budget_p99_ms: float | None
    spooled_messages: int | None
    blanks_left: int | None
    certificate_until_ms: int | None

    @property
    def model(self) -> str:
        """What runs, attested."""
        if self.received_at_ms is None:
            return "not known"
        if self.running_release is not None:
            return f"release {self.running_release}"
        return "best-sellers" if self.running_digest is None else f"unlisted {self.running_digest[:8]}"

    @property
    def model_verdict(self) -> tuple[str, str]:
        """Whether that is what is desired: words and kind of badge."""
        return model_verdict(
            ModelFacts(
                attested=self.received_at_ms is not None,
                running_digest=self.running_digest,
                desired_known=self.desired_known,
                desired_release=self.desired_release,
                desired_digest=self.desired_digest,
                update_release=self.update_release,
                update_state=self.update_state,
                update_reason=self.update_reason,
            )
        )


@dataclass(frozen=True, slots=True)
class FleetCounts:
    """The whole chain in figures."""

    registers: int
    online: int
    attention: int
    as_desired: int
    desired: int
    slowest_ms: float | None
    spooled: int


@dataclass(frozen=True, slots=True)
class FleetPage:
    """What one look at the database gave."""

    rows: tuple[FleetRow, ...]
    matching: int
    counts: FleetCounts
    releases: tuple[int, ...]
    earlier: Place | None
    later: Place | None
