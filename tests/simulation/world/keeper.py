"""The keeper of consent keys: issues blanks on reports, erases what was withdrawn, tells the register.

The steps of an erasure are the real ones (`cloud.privacy.erasure`), with a pause after each in which the
process may die and anything else may happen.
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cloud.errors import DatabaseAway
from cloud.objects.ports import ObjectsAway, ObjectStore
from cloud.privacy.blank_issue import Need, blanks_to_issue, usable_until_ms
from cloud.privacy.erasure import Eraser, ErasureRecords
from cloud.privacy.erasure_plan import Withdrawal
from cloud.privacy.memory_key_vault import MemoryKeyVault
from cloud.privacy.ports import IssuedKey
from tests.simulation.world.broker import Broker
from tests.simulation.world.cloud import CollectorLink
from tests.simulation.world.faults import Kind, Trouble
from tests.simulation.world.loop import Life, in_life
from tests.simulation.world.referee import Referee
from wire_protocol import envelope
from wire_protocol.consent import Blank, make_blank
from wire_protocol.envelope import Header, KeyLookup
from wire_protocol.errors import RefusedMessage
from wire_protocol.keys import SigningKey
from wire_protocol.messages import BlanksDown, EraseDown, ReportUp
from wire_protocol.topics import Down, Identity, Topic

BLANK_DAYS = 90
STOCK = 12
ERASE_EVERY_S = 8.0
PAUSE_S = 0.5
"""Between two steps of an erasure: much happens meanwhile."""


class FaultyVault(MemoryKeyVault):
    """The vault in memory, whose database may be away; its content outlives the keeper."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__()
        self._trouble = trouble

    def issue(self, tenant: str, register: str, count: int, now_ms: int, ends_at_ms: int) -> list[IssuedKey]:
        self._ask()
        return super().issue(tenant, register, count, now_ms, ends_at_ms)

    def destroy(self, tenant: str, blanks: Sequence[bytes]) -> None:
        self._ask()
        super().destroy(tenant, blanks)

    def has_key(self, tenant: str, blank: bytes) -> bool:
        """For the referee."""
        held = self._held.get((tenant, blank))
        return held is not None and held.private is not None

    def _ask(self) -> None:
        if self._trouble.strikes(Kind.DATABASE_AWAY):
            raise DatabaseAway("the database of keys does not answer")


@dataclass
class KeeperStores:
    """What the keeper works on; all of it outlives the keeper."""

    vault: FaultyVault
    records: ErasureRecords
    objects: ObjectStore
    unfinished: Callable[[str], Sequence[Withdrawal]]
    untold: Callable[[str], Sequence[Withdrawal]]
    mark_told: Callable[[str, Sequence[bytes]], None]
    outstanding: Callable[[str, str], int]
    signers: Mapping[str, SigningKey]
    """The key for consent, by tenant."""
    registers: Mapping[Identity, KeyLookup]


class Keeper:
    """One keeper; dies and starts again."""

    def __init__(
        self,
        broker: Broker,
        chance: random.Random,
        clock: Callable[[], int],
        stores: KeeperStores,
        referee: Referee,
    ) -> None:
        self.life: Life | None = None
        self._broker = broker
        self._loop = broker.loop
        self._chance = chance
        self._clock = clock
        self._stores = stores
        self._signers = stores.signers
        self._registers = stores.registers
        self._referee = referee
        self._link: CollectorLink | None = None
        self._recent: dict[Identity, list[int]] = {}

    def start(self) -> None:
        self.life = life = Life("keeper")
        self._link = CollectorLink(self._broker, "keeper", ("keeper",), life, self._referee)
        in_life(self._loop, life, self._read_reports(self._link), "keeper reports")
        in_life(self._loop, life, self._erase(), "keeper erasures")
        in_life(self._loop, life, self._tell(self._link), "keeper telling")

    def kill(self) -> None:
        if self.life is not None and self._link is not None:
            self.life.alive = False
            self._link.close()
        self.life = None

    async def _read_reports(self, link: CollectorLink) -> None:
        while True:
            delivery = await link.next()
            try:
                topic = Topic.parse(delivery.topic)
                report = envelope.verify(
                    envelope.parse(delivery.payload, topic), self._registers[topic.identity]
                )
            except RefusedMessage:
                link.acknowledge(delivery)
                continue
            assert isinstance(report.payload, ReportUp)
            await asyncio.sleep(self._chance.random() * 0.1)
            try:
                self.issue(topic.identity, report.payload.blanks_left, report.payload.blanks_wanted, link)
            except DatabaseAway:
                continue  # the next report asks again
            link.acknowledge(delivery)

    def issue(self, to: Identity, left: int, wanted: int, link: CollectorLink) -> None:
        """Keys first, durable; then the blanks."""
        now_ms = self._clock()
        recent = [at_ms for at_ms in self._recent.get(to, []) if now_ms - at_ms < 120_000]
        outstanding = self._stores.outstanding(to.tenant, to.register)
        count = blanks_to_issue(Need(left, wanted, outstanding, len(recent)), STOCK)
        if count == 0:
            return
        blanks = self.make_blanks(to, count)
        self._recent[to] = recent + [now_ms] * count
        self._send(to, Down.BLANKS, BlanksDown(blanks), link)

    def make_blanks(self, to: Identity, count: int) -> tuple[bytes, ...]:
        """Signed blanks, their keys in the vault."""
        now_ms = self._clock()
        until_ms = usable_until_ms(now_ms, BLANK_DAYS)
        issued = self._stores.vault.issue(to.tenant, to.register, count, now_ms, until_ms)
        return tuple(
            make_blank(
                Blank(one.blank, to.tenant, to.register, one.public_key, now_ms, until_ms),
                self._signers[to.tenant],
            )
            for one in issued
        )

    async def _erase(self) -> None:
        eraser = Eraser(self._stores.records, self._stores.vault, self._stores.objects, self._clock)
        while True:
            await asyncio.sleep(ERASE_EVERY_S * (0.5 + self._chance.random()))
            for tenant in self._signers:
                try:
                    rows = self._stores.unfinished(tenant)
                    for step, consent in eraser.erase(tenant, rows):
                        self._referee.erasing(tenant, consent, step)
                        await asyncio.sleep(self._chance.random() * PAUSE_S)
                except (ObjectsAway, DatabaseAway):
                    continue  # it starts again with the rows as they are then

    async def _tell(self, link: CollectorLink) -> None:
        while True:
            await asyncio.sleep(20)
            for tenant in self._signers:
                for row in self._stores.untold(tenant):
                    register = self._stores.vault.register_of(tenant, row.consent)
                    if register is not None:
                        self._send(Identity(tenant, register), Down.ERASE, EraseDown((row.consent,)), link)
                    self._stores.mark_told(tenant, [row.consent])
                    await asyncio.sleep(0.01)

    def _send(self, to: Identity, kind: Down, payload: BlanksDown | EraseDown, link: CollectorLink) -> None:
        header = Header(Topic(to, kind), self._chance.randbytes(16), 0, self._clock())
        link.send(header.topic, envelope.make(header, payload, (), self._signers[to.tenant]))
