"""Who brings a seed's faults about: the weather, the operator, the thief, the customer who comes back."""

import hashlib
import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from cloud.collector.values import State
from cloud.errors import DatabaseAway
from tests.simulation.world.broker import Session, Weather
from tests.simulation.world.faults import Fault, Kind
from tests.simulation.world.paper_keys import new_key
from tests.simulation.world.register import Register
from wire_protocol import consent as consents
from wire_protocol import envelope, sealing
from wire_protocol.consent import FRAME_PURPOSE, Blank, Consent, Method, Purpose
from wire_protocol.envelope import Header
from wire_protocol.identifiers import uuid7
from wire_protocol.keys import SigningKey
from wire_protocol.messages import FrameUp, WithdrawalUp
from wire_protocol.topics import RECEIPTED, Identity, Topic, Up

if TYPE_CHECKING:
    from tests.simulation.world.twin import Twin

_SKEWS_MS: Final = tuple(sign * span for span in (300_000, 86_400_000, 400 * 86_400_000) for sign in (1, -1))
_RAIN: Final = Weather(lose=0.12, repeat=0.3, lie=0.05, cut=0.02, delay_s=8.0)
_LIES: Final = Weather(lie=0.5)
FLOODED: Final = 80


class Mischief:
    """Begins and ends faults."""

    def __init__(self, twin: "Twin") -> None:
        self._twin = twin
        self._chance = random.Random(twin.chance.random())
        self._weather: list[Fault] = []
        self._thieves = 0

    def begin(self, fault: Fault) -> None:
        """It happens."""
        self._twin.referee.note(f"fault {fault}")
        _BEGIN[fault.kind](self, fault)

    def end(self, fault: Fault) -> None:
        """It is over."""
        self._twin.referee.note(f"over: {fault}")
        end = _END.get(fault.kind)
        if end is not None:
            end(self, fault)
        else:
            self._switch(fault, on=False)

    def calm(self) -> None:
        """All of it is over."""
        self._weather.clear()
        self._set_weather()
        self._twin.broker.up = True
        for process in self._twin.collectors:
            if process.link is not None and not process.link.wanted:
                process.link.leave(wanted=True)
        for register in self._twin.registers.values():
            register.clock.skew_ms = 0

    # ---- whom it hits -------------------------------------------------------------------------------------

    def _register(self, fault: Fault) -> Register:
        registers = list(self._twin.registers.values())
        return registers[int(fault.which * len(registers))]

    def _whom(self, fault: Fault) -> str:
        if fault.kind in {Kind.DISK_FULL, Kind.DISK_EIO}:
            return self._register(fault).identity.common_name
        return ""

    def _switch(self, fault: Fault, *, on: bool = True) -> None:
        self._twin.trouble.switch(fault.kind, self._whom(fault), on=on)

    def _bite(self, fault: Fault) -> None:
        self._twin.bite[fault.kind] += 1

    # ---- network ------------------------------------------------------------------------------------------

    def _weather_begins(self, fault: Fault) -> None:
        self._bite(fault)
        self._weather.append(fault)
        self._set_weather()

    def _weather_ends(self, fault: Fault) -> None:
        if fault in self._weather:
            self._weather.remove(fault)
        self._set_weather()

    def _set_weather(self) -> None:
        """The newest of what is on."""
        newest = self._weather[-1].kind if self._weather else None
        weather = {Kind.RAIN: _RAIN, Kind.LYING_PUBACK: _LIES}.get(newest or Kind.FLOOD, Weather())
        self._twin.broker.weather = replace(weather)

    def _cut(self, fault: Fault) -> None:
        session = self._twin.broker.session_of(self._register(fault).identity.common_name)
        if session is not None:
            self._bite(fault)
            self._twin.broker.close(session)

    def _flap(self, fault: Fault) -> None:
        """Connections end, again and again."""
        if self._twin.loop.time() < fault.at_s + fault.for_s:
            self._cut(fault)
            later = partial(self._flap, fault)
            self._twin.loop.call_later(self._chance.uniform(1, 12), later, context=self._twin.loop.world)

    def _broker_away(self, fault: Fault) -> None:
        self._bite(fault)
        self._twin.broker.up = False
        self._twin.broker.crash()

    def _broker_back(self, _: Fault) -> None:
        self._twin.broker.up = True

    def _broker_crash(self, fault: Fault) -> None:
        self._bite(fault)
        self._twin.crashes += 1
        self._twin.broker.crash()

    def _collectors_leave(self, fault: Fault) -> None:
        self._bite(fault)
        for process in self._twin.collectors:
            if process.link is not None:
                process.link.leave(wanted=False)

    def _collectors_return(self, _: Fault) -> None:
        for process in self._twin.collectors:
            if process.link is not None and not process.link.wanted:
                process.link.leave(wanted=True)

    # ---- crashes ------------------------------------------------------------------------------------------

    def _crash(self, name: str, fault: Fault) -> None:
        """At once, or right after the next durable write."""
        self._bite(fault)
        if self._chance.random() < 0.5:
            self._twin.crash(name)
        else:
            self._twin.arm(name)
            later = partial(self._twin.crash, name)
            self._twin.loop.call_later(20, later, context=self._twin.loop.world)

    def _crash_collector(self, fault: Fault) -> None:
        self._crash(self._twin.collectors[int(fault.which * len(self._twin.collectors))].name, fault)

    def _crash_register(self, fault: Fault) -> None:
        self._crash(self._register(fault).identity.common_name, fault)

    def _crash_keeper(self, fault: Fault) -> None:
        self._bite(fault)
        self._twin.crash("keeper")

    # ---- clocks, rights, consents --------------------------------------------------------------------------

    def _step_clock(self, fault: Fault) -> None:
        self._bite(fault)
        self._register(fault).clock.skew_ms = self._chance.choice(_SKEWS_MS)

    def _revoke(self, fault: Fault) -> None:
        """A stolen register; one in a seed, so that enough is left."""
        register = self._register(fault)
        if not self._twin.referee.books.revoked:
            self._bite(fault)
            self._twin.directory.revoke(register.identity)
            self._twin.referee.books.revoked.add(register.identity)

    def _withdraw(self, fault: Fault) -> None:
        register = self._register(fault)
        if register.alive and register.slips and register.withdraw(self._chance.choice(register.slips[-6:])):
            self._bite(fault)

    def _erase(self, fault: Fault) -> None:
        """An operator erases: frames that are being stored just now, where there are any."""
        under_way = self._under_way()
        register = self._register(fault)
        if under_way:
            self._twin.bite["erased under way"] += 1
            tenant, consent = self._chance.choice(under_way)
        elif register.slips:
            tenant, consent = register.identity.tenant, register.slips[-1].consent_id.bytes
        else:
            return
        self._bite(fault)
        self._twin.records.withdraw(tenant, consent)
        self._twin.referee.was_withdrawn(tenant, consent)

    def _under_way(self) -> list[tuple[str, bytes]]:
        """Tenant and consent of every frame that is claimed and not stored."""
        captured = self._twin.referee.books.captured
        return [
            (key[0], known.consent)
            for key, row in self._twin.real_ledger.rows.items()
            if row.state is State.CLAIMED
            and (known := captured.get(key)) is not None
            and known.consent is not None
        ]

    def _tombstone(self, fault: Fault) -> None:
        """A customer agrees and takes it back, before anything has left the register."""
        register = self._register(fault)
        if register.alive:
            self._bite(fault)
            register.serve(agrees=True, buys=False, regrets_s=0.0)

    # ---- thieves ------------------------------------------------------------------------------------------

    def _send(self, topic: Topic, message: bytes) -> None:
        """Publish as somebody whom the broker lets."""
        self._thieves += 1
        thief = Session(
            client=f"thief-{self._thieves}",
            on_message=lambda *_: None,
            on_close=lambda: None,
            tell=lambda what: what(),
        )
        if self._twin.broker.connect(thief):
            self._twin.broker.publish(thief, str(topic), message, lambda _: None)

    def _recorded(self) -> tuple[Topic, bytes] | None:
        """Something that went up before."""
        wire = self._twin.broker.wire
        for _ in range(20):
            if wire:
                text, message = self._chance.choice(wire)
                topic = Topic.parse(text)
                if topic.kind in RECEIPTED:
                    return topic, message
        return None

    def _replay(self, fault: Fault) -> None:
        """The same bytes again: from here, as another register, as another tenant."""
        others = list(self._twin.registers)
        for _ in range(6):
            recorded = self._recorded()
            if recorded is not None:
                topic, message = recorded
                self._bite(fault)
                identity = self._chance.choice([topic.identity, self._chance.choice(others)])
                self._send(Topic(identity, topic.kind), message)

    def _conflict(self, fault: Fault) -> None:
        """An id that the cloud knows, with other bytes, rightly signed; best one that is still spooled."""
        captured = self._twin.referee.books.captured
        known = [key for key in self._twin.real_ledger.rows if key in captured]
        under_way = [key for key in known if captured[key].fate is None] or known
        for tenant, name, message_id in self._chance.sample(under_way, min(4, len(under_way))):
            self._bite(fault)
            register = self._twin.registers[Identity(tenant, name)]
            header = self._header(register, Up.WITHDRAWAL, message_id)
            payload = WithdrawalUp(self._chance.randbytes(16), self._twin.clock.now_ms())
            self._send(header.topic, envelope.make(header, payload, (), register.packager.key))

    def _forge(self, fault: Fault) -> None:
        """Frames without a consent that holds, from somebody who has the register's key; and without it."""
        register = self._register(fault)
        kinds: tuple[Callable[[Register], tuple[Header, Consent, bytes, SigningKey] | None], ...] = (
            self._own_blank,
            self._ended_consent,
            self._other_purpose,
            self._reused_blank,
            self._foreign_consent,
            self._wrong_key,
        )
        for forge in self._chance.sample(kinds, 3):
            try:
                forged = forge(register)
            except DatabaseAway:
                continue  # no blank could be stolen
            if forged is None:
                continue
            header, consent, blank_id, key = forged
            self._bite(fault)
            self._twin.bite[f"forged {forge.__name__.strip('_')}"] += 1
            receipt = consents.make_receipt(consent, key)
            public = b"\x09" + bytes(31)
            sealed = sealing.seal(b"picture", public, envelope.seal_info(header, key.kid))
            frame = FrameUp(consent.interaction, blank_id, consent.granted_at, 640, 480, 7)
            self._send(header.topic, envelope.make(header, frame, (receipt, sealed), key))

    def _header(self, register: Register, kind: Up, message_id: bytes) -> Header:
        return Header(Topic(register.identity, kind), message_id, 1, self._twin.clock.now_ms())

    def _fresh(self, register: Register) -> tuple[Header, bytes]:
        """A header, and the id of an interaction that nobody had."""
        header = self._header(register, Up.FRAME, self._chance.randbytes(16))
        return header, uuid7(self._twin.clock.now_ms(), self._chance.randbytes(10)).bytes

    def _filled(self, blank: bytes, interaction: bytes, **changes: object) -> Consent:
        now_ms = self._twin.clock.now_ms()
        consent = Consent(
            blank=blank,
            interaction=interaction,
            purposes=(FRAME_PURPOSE,),
            notice=hashlib.sha256(b"notice").digest(),
            language="en",
            method=Method.TOUCH,
            granted_at=now_ms,
            expires_at=now_ms + 86_400_000,
            withdrawal=bytes(32),
        )
        return replace(consent, **changes)  # type: ignore[arg-type]

    def _stolen_blank(self, register: Register) -> tuple[bytes, bytes]:
        signed = self._twin.keeper.make_blanks(register.identity, 1)[0]
        return signed, consents.verify_blank(
            signed, self._twin.consent_lookup(register.identity.tenant)
        ).blank

    def _own_blank(self, register: Register) -> tuple[Header, Consent, bytes, SigningKey]:
        header, interaction = self._fresh(register)
        now_ms, blank_id = self._twin.clock.now_ms(), self._chance.randbytes(16)
        blank = Blank(
            blank_id,
            register.identity.tenant,
            register.identity.register,
            bytes([9]) + bytes(31),
            now_ms,
            now_ms + 10**9,
        )
        signed = consents.make_blank(blank, register.packager.key)
        return header, self._filled(signed, interaction), blank_id, register.packager.key

    def _ended_consent(self, register: Register) -> tuple[Header, Consent, bytes, SigningKey]:
        header, interaction = self._fresh(register)
        signed, blank_id = self._stolen_blank(register)
        now_ms = self._twin.clock.now_ms()
        consent = self._filled(signed, interaction, granted_at=now_ms - 10_000, expires_at=now_ms - 5_000)
        return header, consent, blank_id, register.packager.key

    def _other_purpose(self, register: Register) -> tuple[Header, Consent, bytes, SigningKey]:
        header, interaction = self._fresh(register)
        signed, blank_id = self._stolen_blank(register)
        consent = self._filled(signed, interaction, purposes=(Purpose.EVALUATION,))
        return header, consent, blank_id, register.packager.key

    def _reused_blank(self, register: Register) -> tuple[Header, Consent, bytes, SigningKey] | None:
        """A blank whose consent the cloud has, filled a second time."""
        known = [
            slip
            for slip in register.slips
            if (register.identity.tenant, slip.consent_id.bytes) in self._twin.real_ledger.consents
        ]
        if not known:
            return None
        header, interaction = self._fresh(register)
        slip = self._chance.choice(known)
        consent = self._filled(slip.agreed.consent.blank, interaction)
        return header, consent, slip.consent_id.bytes, register.packager.key

    def _foreign_consent(self, register: Register) -> tuple[Header, Consent, bytes, SigningKey]:
        """A blank of another register, perhaps of another tenant."""
        others = [other for other in self._twin.registers.values() if other is not register]
        header, interaction = self._fresh(register)
        signed, blank_id = self._stolen_blank(self._chance.choice(others))
        return header, self._filled(signed, interaction), blank_id, register.packager.key

    def _wrong_key(self, register: Register) -> tuple[Header, Consent, bytes, SigningKey]:
        header, interaction = self._fresh(register)
        signed, blank_id = self._stolen_blank(register)
        return header, self._filled(signed, interaction), blank_id, new_key(self._chance, real=False)

    def _flood(self, fault: Fault) -> None:
        """A tenant sends what it has, again and again."""
        register = self._register(fault)
        mine = [
            (topic, message)
            for topic, message in self._twin.broker.wire[-400:]
            if topic.startswith(f"topscoop/v1/{register.identity.tenant}/") and "/up/report" not in topic
        ]
        mine = [(topic, message) for topic, message in mine if "/up/" in topic]
        if mine:
            self._bite(fault)
            for number in range(FLOODED):
                topic, message = mine[number % len(mine)]
                self._send(Topic.parse(topic), message)


_BEGIN: Final[dict[Kind, Callable[[Mischief, Fault], None]]] = {
    Kind.RAIN: Mischief._weather_begins,
    Kind.LYING_PUBACK: Mischief._weather_begins,
    Kind.CUT_REGISTER: Mischief._cut,
    Kind.FLAP: Mischief._flap,
    Kind.BROKER_AWAY: Mischief._broker_away,
    Kind.BROKER_CRASH: Mischief._broker_crash,
    Kind.COLLECTORS_AWAY: Mischief._collectors_leave,
    Kind.COLLECTOR_CRASH: Mischief._crash_collector,
    Kind.REGISTER_CRASH: Mischief._crash_register,
    Kind.KEEPER_CRASH: Mischief._crash_keeper,
    Kind.CLOCK_STEP: Mischief._step_clock,
    Kind.REVOKE: Mischief._revoke,
    Kind.WITHDRAW: Mischief._withdraw,
    Kind.ERASE: Mischief._erase,
    Kind.TOMBSTONE: Mischief._tombstone,
    Kind.REPLAY: Mischief._replay,
    Kind.CONFLICT: Mischief._conflict,
    Kind.FORGE: Mischief._forge,
    Kind.FLOOD: Mischief._flood,
    **dict.fromkeys(
        (
            Kind.DISK_FULL,
            Kind.DISK_EIO,
            Kind.S3_AWAY,
            Kind.S3_AFTER,
            Kind.S3_SLOW,
            Kind.S3_SILENT,
            Kind.DATABASE_AWAY,
            Kind.DATABASE_AFTER,
            Kind.POISON,
        ),
        lambda mischief, fault: mischief._switch(fault),
    ),
}

_END: Final[dict[Kind, Callable[[Mischief, Fault], None]]] = {
    Kind.RAIN: Mischief._weather_ends,
    Kind.LYING_PUBACK: Mischief._weather_ends,
    Kind.BROKER_AWAY: Mischief._broker_back,
    Kind.COLLECTORS_AWAY: Mischief._collectors_return,
    Kind.CUT_REGISTER: lambda _, __: None,
    Kind.FLAP: lambda _, __: None,
}
