"""The uplink's parts in memory: a desk over a memory spool, a link whose events a test tells."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_agent.adapters.uplink.key_files import parse_anchors
from edge_agent.config import ConsentConfig
from edge_agent.impression import Arm, Impression, Offer, Source
from edge_agent.ports import Frame
from edge_agent.uplink.blank_intake import believable
from edge_agent.uplink.consent_desk import ConsentDesk, Yes
from edge_agent.uplink.consent_loop import Answer, Consents, Parts
from edge_agent.uplink.handover_desk import HandoverDesk
from edge_agent.uplink.handover_loop import HandoverParts, Handovers
from edge_agent.uplink.memory_spool import MemorySpool
from edge_agent.uplink.notice import Notices
from edge_agent.uplink.packaging import Packager
from inference import jpeg
from tests.builders.records import StandingClock, seeded_randomness
from tests.builders.register import RECEIPT_KEY, EventList
from tests.builders.scripted_cloud import IDENTITY, STORE, PaperCloud
from wire_protocol.consent import Method, Purpose
from wire_protocol.identifiers import uuid7

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from edge_agent.uplink.link_events import LinkEvent

DAY_MS = 86_400_000


@dataclass
class ToldLink:
    """A link that does nothing but remember; the test tells what happens."""

    connects: int = 0
    disconnects: int = 0
    published: list[tuple[bytes, str, bytes]] = field(default_factory=list)
    tell: Callable[[LinkEvent], None] = lambda _: None

    def listen(self, listener: Callable[[LinkEvent], None]) -> None:
        self.tell = listener

    def connect(self) -> None:
        self.connects += 1

    def publish(self, message_id: bytes, topic: str, message: bytes) -> None:
        self.published.append((message_id, topic, message))

    def disconnect(self) -> None:
        self.disconnects += 1


@dataclass
class Choosing:
    """A sampler that says what the test wants."""

    wanted: bool = True
    asked: list[Any] = field(default_factory=list)

    def choose(self, frame: Any, interaction_id: UUID, now_ms: int) -> bool:
        self.asked.append(frame)
        return self.wanted

    def settings(self) -> dict[str, str]:
        return {"sampling": "kept"}


class PaperDesk:
    """The consents of a register in memory, with everything that a test may want to look at."""

    def __init__(self, *, blanks: int = 3, valid_days: int = 365, **config: Any) -> None:
        self.cloud = PaperCloud()
        self.clock = StandingClock()
        self.events = EventList()
        self.spool = MemorySpool(self.clock.now_ms)
        self.anchors = parse_anchors(self.cloud.anchors_json())
        good, _ = believable([self.cloud.blank() for _ in range(blanks)], IDENTITY, self.anchors)
        self.spool.add_blanks(good)
        self.packager = Packager(IDENTITY, self.cloud.register_key, STORE)
        self.randomness = seeded_randomness(3)
        self.desk = ConsentDesk(
            packager=self.packager,
            anchors=self.anchors,
            spool=self.spool,
            secret=RECEIPT_KEY,
            valid_ms=valid_days * DAY_MS,
            randomness=self.randomness,
        )
        self.config = ConsentConfig(**config)
        self.notices = Notices.of(
            purposes=self.config.purposes, valid_days=valid_days, controller="Gelateria Sole, Rimini"
        )
        self.sampler = Choosing()
        self.told: list[Any] = []
        self.executor = ThreadPoolExecutor(1)
        self.consents = Consents(
            Parts(
                config=self.config,
                notices=self.notices,
                desk=self.desk,
                spool=self.spool,
                sampler=self.sampler,
                encode=lambda pixels: jpeg.encode(pixels, max_height=480),
                clock=self.clock,
                events=self.events,
                spooled=self.told.append,
                erased=self.told.append,
                blank_used=lambda: self.told.append("blank"),
                now_ms=self.clock.now_ms,
                executor=self.executor,
                phones=lambda: self.handovers.possible,
            )
        )
        self.consents.count_blanks(blanks)
        self.link = ToldLink()
        self.is_connected = True
        self.handovers = self.new_handovers()

    def new_handovers(self) -> Handovers:
        """As after a start of the register: no code is open."""
        return Handovers(
            HandoverParts(
                consents=self.consents,
                desk=HandoverDesk(IDENTITY, self.cloud.register_key, "https://{tenant}.example.com"),
                notices=self.notices,
                packager=self.packager,
                spool=self.spool,
                link=self.link,
                events=self.events,
                clock=self.clock,
                randomness=self.randomness,
                hold_s=90,
                draw=lambda address: f"<svg>{address}</svg>",
                is_connected=lambda: self.is_connected,
                now_ms=self.clock.now_ms,
                executor=self.executor,
            )
        )

    def yes(self, language: str = "en", **fields: Any) -> Answer:
        notice = self.notices.choose(language)
        chosen: dict[str, Any] = {
            "purposes": (Purpose.TRAINING,),
            "notice_sha256": notice.sha256,
            "language": notice.language,
            "method": Method.TOUCH,
        }
        return Answer(Yes(**(chosen | fields)))

    def impression(self, seed: int = 1, **fields: Any) -> Impression:
        chosen: dict[str, Any] = {
            "interaction_id": uuid7(self.clock.now_ms(), bytes([seed]) * 10),
            "slate": (Offer("mango", "Mango", 0.5), Offer("lemon", "Lemon", 0.2), Offer("mint", "Mint", 0.1)),
            "arm": Arm.MODEL,
            "source": Source.MODEL,
            "reason": None,
            "propensity": 0.9,
            "model_digest": "a" * 64,
            "model_version": "1",
            "menu_version": 2,
            "in_stock": ("mango", "lemon", "mint", "cherry"),
            "context": (("hour", 12.5), ("weekday", 3), ("temperature_c", None), ("shop", "beach")),
            "nobody": 0.01,
            "scores": (2.0, 1.0, 0.5, 0.25),
            "shown_at_ms": self.clock.now_ms(),
            "frame_age_ms": 10.0,
            "inference_ms": 0.2,
            "total_ms": 0.5,
        }
        return Impression(**(chosen | fields))

    def frame(self, seed: int = 1) -> Frame:
        pixels = np.random.default_rng(seed).integers(0, 255, (120, 160, 3), np.uint8)
        return Frame(pixels, self.clock.monotonic_ns(), seed)

    def frames(self) -> Any:
        from edge_agent.uplink.lanes import Lane

        return self.spool.stats().lanes[Lane.FRAMES].account
