"""What reaches the cloud at this moment, and what happens by itself. Pure.

Watchers tell, the page and the final report read; all on one event loop.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from simulator.demo.backend.account import FrameAccount
from simulator.demo.backend.arrivals import Arrival
from simulator.demo.backend.release_story import (
    ReleaseStory,
    release_shortfalls,
    release_summary,
    release_view,
)
from simulator.demo.live_state import RegisterInfo, quantiles_view
from simulator.demo.phones.story import PhoneStory, phones_shortfalls, phones_summary, phones_view
from simulator.demo.scoreboard import Quantiles
from wire_protocol.topics import Up

ARRIVALS_SHOWN = 12


class Forgery(StrEnum):
    """How far the forged frame has come."""

    SOON = "soon"
    SENT = "sent"
    REFUSED = "refused"
    STORED = "stored"  # must never be


class Outage(StrEnum):
    """How far the unplugged register has come."""

    SOON = "soon"
    OFFLINE = "offline"
    CATCHING_UP = "catching-up"
    CAUGHT_UP = "caught-up"


class Erasure(StrEnum):
    """How far the erasure has come."""

    SOON = "soon"
    ASKED = "asked"  # the next customer who consents will take it back
    WITHDRAWN = "withdrawn"
    ERASED = "erased"


@dataclass(slots=True)
class Line:
    """A register's way to the cloud."""

    plugged: bool = True
    connected: bool = False
    waiting: int = 0
    """Messages of every kind in its spool."""
    frames: FrameAccount = field(default_factory=FrameAccount)


@dataclass(slots=True)
class Story:
    """Everything that the page shows of the cloud."""

    infos: Mapping[str, RegisterInfo]
    """By the certificate's name, tenant/register."""
    releases: ReleaseStory | None = None
    """Of one chain."""
    phones: PhoneStory | None = None
    """Who uses the public API."""
    lines: dict[str, Line] = field(default_factory=dict)
    """By the page's id of a register."""
    arrivals: deque[tuple[int, Arrival]] = field(default_factory=lambda: deque(maxlen=ARRIVALS_SHOWN))
    frames: int = 0
    frame_bytes: int = 0
    others: int = 0
    """Messages of the small kinds that were stored."""
    refused: dict[str, int] = field(default_factory=dict)
    erased: int = 0
    receipt: Quantiles | None = None
    forgery: Forgery = Forgery.SOON
    forged_id: str | None = None
    forgery_reason: str = ""
    outage: Outage = Outage.SOON
    outage_at: str = ""
    outage_most: int = 0
    erasure: Erasure = Erasure.SOON
    erasure_at: str = ""
    versions_deleted: int = 0
    _changed: bool = True
    _seen: int = 0
    _seen_besides: Sequence[Mapping[str, Any] | None] = ()

    def __post_init__(self) -> None:
        self.lines = {info.id: Line() for info in self.infos.values()}

    def arrived(self, arrival: Arrival) -> None:
        """The collector has dealt with a message."""
        self._changed = True
        if arrival.fate == "stored" and arrival.kind is not Up.FRAME:
            self.others += 1
            return
        if arrival.fate == "stored":
            self.frames += 1
            self.frame_bytes += arrival.size_bytes
        elif arrival.fate == "refused":
            self.refused[arrival.reason] = self.refused.get(arrival.reason, 0) + 1
        if arrival.message_id == self.forged_id:
            self._judged(arrival)
        self._seen += 1
        self.arrivals.appendleft((self._seen, arrival))

    def forged(self, message_id: str) -> None:
        """A forged frame was sent; its refusal may have been faster than this news."""
        self._changed = True
        self.forged_id, self.forgery = message_id, Forgery.SENT
        for _, arrival in self.arrivals:
            if arrival.message_id == message_id:
                self._judged(arrival)

    def _judged(self, arrival: Arrival) -> None:
        self.forgery = Forgery.REFUSED if arrival.fate == "refused" else Forgery.STORED
        self.forgery_reason = arrival.reason

    def line(self, register: str, *, connected: bool, waiting: int, frames: FrameAccount) -> None:
        """A register's agent told how its uplink is."""
        line = self.lines[register]
        before = (line.connected, line.waiting, line.frames)
        line.connected, line.waiting, line.frames = connected, waiting, frames
        self._changed |= before != (connected, waiting, frames)

    def plug(self, register: str, *, plugged: bool) -> None:
        """A register's cable was plugged in or unplugged."""
        self.lines[register].plugged = plugged
        self._changed = True

    def tell(self, **news: Any) -> None:
        """Set some of the fields."""
        for name, value in news.items():
            self._changed |= getattr(self, name) != value
            setattr(self, name, value)

    def take_changed(self) -> bool:
        """Whether there is news since the last call."""
        besides = (
            None if self.releases is None else release_view(self.releases),
            None if self.phones is None else phones_view(self.phones),
        )
        changed = self._changed or besides != self._seen_besides
        self._changed, self._seen_besides = False, besides
        return changed

    @property
    def account(self) -> FrameAccount:
        """All registers' pictures together."""
        return sum((line.frames for line in self.lines.values()), FrameAccount())

    @property
    def waiting(self) -> int:
        """Messages that wait in any spool."""
        return sum(line.waiting for line in self.lines.values())

    def shop(self, register: str) -> str:
        """The shop's name for people."""
        return next((info.shop_name for info in self.infos.values() if info.id == register), "")


def story_view(story: Story) -> Mapping[str, Any]:
    """What the page needs, all of it."""
    return {
        "registers": [
            {
                "id": register,
                "plugged": line.plugged,
                "connected": line.connected,
                "waiting": line.waiting,
                "stored": line.frames.stored,
            }
            for register, line in story.lines.items()
        ],
        "arrivals": [_arrival_view(story, number, arrival) for number, arrival in story.arrivals],
        "frames": story.frames,
        "frame_bytes": story.frame_bytes,
        "others": story.others,
        "refused": sum(story.refused.values()),
        "waiting": story.waiting,
        "erased": story.erased,
        "receipt_ms": quantiles_view(story.receipt),
        "forgery": {"state": story.forgery, "reason": story.forgery_reason},
        "outage": {
            "state": story.outage,
            "shop": story.shop(story.outage_at),
            "most": story.outage_most,
            "waiting": story.lines[story.outage_at].waiting if story.outage_at else 0,
        },
        "erasure": {
            "state": story.erasure,
            "shop": story.shop(story.erasure_at),
            "versions": story.versions_deleted,
        },
        "releases": None if story.releases is None else release_view(story.releases),
        "phones": None if story.phones is None else phones_view(story.phones),
    }


def story_summary(story: Story) -> Mapping[str, Any]:
    """The cloud's part of the demo's result."""
    account = story.account
    return {
        "frames": {
            "captured": account.captured,
            "stored": account.stored,
            "refused": account.refused,
            "gone": account.gone,
            "dropped": account.dropped,
            "spooled": account.spooled,
            "lost": account.lost,
            "without_consent": account.without_consent,
        },
        "receipt_ms": quantiles_view(story.receipt),
        "cloud": {
            "forged_frame": story.forgery_reason or str(story.forgery),
            "unplugged_register": str(story.outage),
            "erasure": str(story.erasure),
        },
        **({} if story.releases is None else {"releases": release_summary(story.releases)}),
        **({} if story.phones is None else {"public_api": phones_summary(story.phones)}),
    }


def _arrival_view(story: Story, number: int, arrival: Arrival) -> Mapping[str, Any]:
    info = story.infos.get(arrival.register)
    return {
        "number": number,
        "shop": info.shop_name if info else arrival.register,
        "kind": arrival.kind,
        "fate": arrival.fate,
        "forged": arrival.message_id == story.forged_id,
        "bytes": arrival.size_bytes,
        "took_ms": arrival.took_ms,
        "reason": arrival.reason,
    }


def story_shortfalls(story: Story) -> Sequence[str]:
    """What a check misses of the cloud's part, in words."""
    account, found = story.account, []
    if account.lost:
        found.append(f"{account.lost} of {account.captured} pictures are unaccounted for")
    if not account.stored:
        found.append("no picture reached the cloud")
    if story.forgery is not Forgery.REFUSED:
        found.append(f"the forged frame was not refused ({story.forgery})")
    if story.outage is not Outage.CAUGHT_UP:
        found.append(f"the unplugged register did not catch up ({story.outage})")
    if story.erasure is not Erasure.ERASED:
        found.append(f"the erasure did not end ({story.erasure})")
    if story.releases is not None:
        found.extend(release_shortfalls(story.releases))
    if story.phones is not None:
        found.extend(phones_shortfalls(story.phones))
    return found
