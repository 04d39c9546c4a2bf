"""The twin: registers, broker, collectors, keeper and their stores in one process, under one seed.

A seed is one story: who buys, who agrees, what breaks and when, in which order everything runs. `run_seed`
plays it, with a referee who looks at every step, until the faults end and everything must come to rest.
"""

import gc
import hashlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from cloud.collector.acceptance import Terms, accept
from cloud.collector.collect_loop import Collector
from cloud.collector.limits import Limits
from cloud.collector.memory_ledger import MemoryLedger
from cloud.collector.ports import World
from cloud.collector.sweep_loop import Sweeper
from cloud.collector.values import Facts, Offer, RegisterRecord, Ruling, TenantRecord
from cloud.objects.coroutines import InThreads, at_once
from cloud.objects.memory_store import MemoryStore
from cloud.objects.ports import Version
from edge_agent.uplink.anchors import Anchor, Anchors, Purpose
from edge_agent.uplink.blank_intake import believable
from edge_agent.uplink.delivery import Delivery
from edge_agent.uplink.memory_spool import MemorySpool
from edge_agent.uplink.packaging import Packager
from edge_agent.uplink.spool_rules import SpoolBounds
from tests.simulation.world.broker import Broker
from tests.simulation.world.cloud import (
    CollectorLink,
    FaultyLedger,
    FaultyObjects,
    WatchedBucket,
    WatchedObjects,
)
from tests.simulation.world.disk import FaultyDisk
from tests.simulation.world.faults import Fault, Kind, Trouble, draw_faults
from tests.simulation.world.judge import judge
from tests.simulation.world.keeper import FaultyVault, Keeper, KeeperStores
from tests.simulation.world.loop import Killed, Life, VirtualLoop, in_life
from tests.simulation.world.mischief import Mischief
from tests.simulation.world.pace import quick
from tests.simulation.world.paper_keys import new_key
from tests.simulation.world.referee import Referee
from tests.simulation.world.register import STORE, Register, Surroundings
from tests.simulation.world.stores import Clock, MemoryDirectory, MemoryRecords
from wire_protocol.envelope import KeyLookup, KeyRecord
from wire_protocol.keys import SigningKey
from wire_protocol.messages import Verdict
from wire_protocol.topics import RECEIPTED, Identity, Topic, Up

REPLAY = ".venv/bin/python -m tests.simulation.replay"
EPOCH_MS = 1_795_000_000_000
"""18 November 2026."""
ACTIVE_S = 900.0
CUSTOMERS = 50
MESSAGES = 150
"""Captured in a seed, at least."""
FAULTS = 20
QUIET_S = 4 * 3600.0
"""In which everything must have come to rest once the faults have ended: several of the longest back-offs."""
MESSAGES_PER_MINUTE = 150
"""A tenant's quota: more than its registers need, less than a flood."""
SWEEP_EVERY_S = 240.0


@dataclass(frozen=True)
class Mutant:
    """A mistake that is made on purpose.

    Args:
        accept: In the place of `acceptance.accept`.
        delivery: In the place of `Delivery`.
        ledger: Wraps or alters the ledger.
        link: Wraps the collectors' links.
        collector: Changes a collector after it was made.
        twin: Changes anything else.
    """

    name: str = "none"
    accept: Callable[..., Any] = accept
    delivery: Callable[..., Delivery] = Delivery
    ledger: Callable[[MemoryLedger], Any] = lambda ledger: ledger
    link: Callable[[CollectorLink], Any] = lambda link: link
    collector: Callable[[Collector], None] = lambda _: None
    twin: Callable[["Twin"], None] = lambda _: None


NONE = Mutant()


@dataclass
class Outcome:
    """What a seed came to."""

    seed: int
    violations: list[str]
    events: list[str]
    faults: tuple[Fault, ...]
    bite: Counter[str]
    counts: Counter[str]
    steps: int
    crashes: int
    registers: int
    tenants: int
    collectors: int

    @property
    def captured(self) -> int:
        """Messages that came into a spool."""
        return sum(count for name, count in self.counts.items() if name.startswith("captured "))

    @property
    def digest(self) -> str:
        """The same for the same story, whatever process tells it."""
        told = repr((self.violations, self.faults, sorted(self.bite.items()), sorted(self.counts.items())))
        return hashlib.sha256(f"{told} {self.steps}".encode()).hexdigest()

    def story(self) -> str:
        """For whoever has to find out."""
        replay = f"{REPLAY} {self.seed}"
        lines = [f"seed {self.seed}: {self.violations[0]}", f"replay: {replay}", "faults:"]
        return "\n".join([*lines, *(f"  {fault}" for fault in self.faults), "last events:", *self.events])


@dataclass
class CollectorProcess:
    """One collector and how it is found dead."""

    name: str
    life: Life | None = None
    link: CollectorLink | None = None
    collector: Collector | None = None


class Watch:
    """`cloud.collector.ports.Watch` that counts."""

    def __init__(self, referee: Referee) -> None:
        self._referee = referee

    def received(self, size: int) -> None:
        self._referee.counts["received"] += 1

    def answered(self, answered: Any) -> None:
        self._referee.counts[f"answered {answered.verdict}"] += 1
        if answered.verdict is Verdict.RETRY:
            self._referee.counts[f"retry {answered.detail}"] += 1
            self._referee.counts[f"retry of {Topic.parse(answered.topic).identity.tenant}"] += 1
        self._referee.note(
            f"{answered.topic.removeprefix('topscoop/v1/')}: {answered.verdict} {answered.detail}"
        )

    def swept(self, version: Version) -> None:
        self._referee.counts["swept"] += 1
        self._referee.note(f"swept {version.key} {version.version}")

    def failed(self, event: str, topic: str, error: Exception) -> None:
        self._referee.counts[event] += 1
        self._referee.note(f"{event} {topic}: {error!r:.100}")


class Twin:
    """All of it, for one seed."""

    def __init__(self, seed: int, mutant: Mutant = NONE, faults: tuple[Fault, ...] | None = None) -> None:
        self.seed = seed
        self._looked_s = 0.0
        self.chance = chance = random.Random(seed)
        self.mutant = mutant
        self.loop = loop = VirtualLoop(random.Random(chance.random()))
        self.clock = Clock(loop, EPOCH_MS)
        self.bite: Counter[str] = Counter()
        self.trouble = Trouble(random.Random(chance.random()), self.bite)
        self.broker = Broker(loop, random.Random(chance.random()), _group_of, self.bite)
        self.real_ledger = MemoryLedger()
        self.ledger = mutant.ledger(self.real_ledger)
        self.bucket = MemoryStore(self.clock.now_ms)
        self.vault = FaultyVault(self.trouble)
        self.records = MemoryRecords(self.real_ledger, self.clock)
        self.referee = Referee(
            self.clock.now_ms,
            lambda tenant, register, message_id: self.real_ledger.rows.get((tenant, register, message_id)),
            self.vault.has_key,
            lambda tenant, consent: (tenant, consent) in self.real_ledger.withdrawals,
        )
        self.crashes = 0
        self._armed: set[str] = set()
        real_keys = seed % 100 == 0
        drawn = draw_faults(chance, FAULTS + chance.randrange(8), ACTIVE_S)
        self.faults = drawn if faults is None else faults
        self._make_tenants(real=real_keys)
        self._make_registers(real=real_keys)
        self.collectors = [CollectorProcess(f"collector-{n}") for n in range(chance.choice((2, 2, 3)))]
        self.keeper = Keeper(
            self.broker,
            random.Random(chance.random()),
            self.clock.now_ms,
            self._keeper_stores(),
            self.referee,
        )
        self.mischief = Mischief(self)
        mutant.twin(self)

    def _keeper_stores(self) -> KeeperStores:
        def outstanding(tenant: str, register: str) -> int:
            return self.records.outstanding(tenant, self.vault.live(tenant, register, 0))

        return KeeperStores(
            self.vault,
            self.records,
            WatchedBucket(self.bucket, self.referee, self.trouble),
            self.records.unfinished,
            self.records.untold,
            self.records.mark_told,
            outstanding,
            self.consent_keys,
            {identity: record.keys.get for identity, record in self.directory.register_records.items()},
        )

    # ---- making -------------------------------------------------------------------------------------------

    def _make_tenants(self, *, real: bool) -> None:
        names = ["acme", "bellini", "coldstone"][: self.chance.choice((2, 2, 3))]
        self.consent_keys: dict[str, SigningKey] = {name: new_key(self.chance, real=real) for name in names}
        self.receipt_keys: dict[str, SigningKey] = {name: new_key(self.chance, real=real) for name in names}
        self.directory = MemoryDirectory({}, {})
        for name in names:
            key = self.consent_keys[name]
            self.directory.tenant_records[name] = TenantRecord(
                name, 5000, 1 << 30, MESSAGES_PER_MINUTE, 365, {key.kid: KeyRecord(key.verification_key)}
            )

    def _make_registers(self, *, real: bool) -> None:
        names = list(self.consent_keys)
        extra = [self.chance.choice(names) for _ in range(self.chance.choice((1, 1, 2)))]
        self.registers: dict[Identity, Register] = {}
        for number, tenant in enumerate([*names, *extra]):
            identity = Identity(tenant, f"till-{number}")
            key = new_key(self.chance, real=real)
            self.directory.register_records[identity] = RegisterRecord(
                identity, STORE, revoked=False, keys={key.kid: KeyRecord(key.verification_key)}
            )
            bounds = SpoolBounds(max_bytes=self.chance.choice((1 << 20, 1 << 20, 12_000)))
            self.registers[identity] = self._make_register(identity, key, bounds)

    def _make_register(self, identity: Identity, key: SigningKey, bounds: SpoolBounds) -> Register:
        spool = MemorySpool(self.clock.now_ms, bounds)
        name = identity.common_name
        disk = FaultyDisk(spool, identity, self.trouble, self.referee, lambda: self.crash_point(name))
        anchors = Anchors(
            Anchor(purpose, KeyRecord(keys[identity.tenant].verification_key))
            for purpose, keys in (
                (Purpose.RECEIPTS, self.receipt_keys),
                (Purpose.CONSENT, self.consent_keys),
            )
        )
        around = Surroundings(self.broker, self.loop, self.clock, self.referee, self.mutant.delivery)
        chance = random.Random(self.chance.random())
        return Register(Packager(identity, key, STORE), anchors, disk, chance, around)

    def consent_lookup(self, tenant: str) -> KeyLookup:
        """What verifies a tenant's blanks."""
        return self.directory.tenant_records[tenant].consent_keys.get

    # ---- processes ----------------------------------------------------------------------------------------

    def start_all(self) -> None:
        """Enrol the registers with their first blanks, start everybody."""
        for collector in self.collectors:
            self.start_collector(collector)
        self.keeper.start()
        for identity, register in self.registers.items():
            blanks, _ = believable(self.keeper.make_blanks(identity, 12), identity, register.anchors)
            register.disk.add_blanks(blanks)
            register.start()

    def start_collector(self, process: CollectorProcess) -> None:
        """A new process; nothing is left of an old one but the stores."""
        process.life = life = Life(process.name)
        groups = ("frames", "events")
        process.link = CollectorLink(self.broker, process.name, groups, life, self.referee)
        chance = random.Random(self.chance.random())
        crash_point = partial(self.crash_point, process.name)
        ledger = FaultyLedger(self.ledger, self.trouble, chance, self.referee, crash_point)
        bucket = InThreads(self.bucket, at_once)
        objects = FaultyObjects(bucket, self.trouble, chance, self.referee, crash_point)
        watch = Watch(self.referee)
        world = World(
            link=self.mutant.link(process.link),
            ledger=ledger,
            objects=objects,
            directory=self.directory,
            signer_of=self.receipt_keys.__getitem__,
            clock=self.clock,
            watch=watch,
            token=partial(chance.randbytes, 16),
        )
        process.collector = Collector(world, LIMITS, partial(self._accept, self.mutant.accept))
        self.mutant.collector(process.collector)
        sweeper = Sweeper(
            ledger,
            objects,
            self.directory,
            self.clock,
            watch,
            sweep_after_ms=LIMITS.sweep_after_ms,
        )
        in_life(self.loop, life, process.collector.run(), process.name)
        in_life(self.loop, life, sweeper.run(SWEEP_EVERY_S), f"{process.name} sweeper")

    def _accept(self, rule: Any, offer: Offer, facts: Facts, terms: Terms, now_ms: int) -> Ruling:
        message_id = offer.message.header.message_id
        if self.trouble.is_on(Kind.POISON) and message_id[-1] % 8 == 0:
            self.bite[Kind.POISON] += 1
            self.referee.books.poisoned.add(message_id)
            raise RuntimeError("a bug that only some messages meet")
        ruling: Ruling = rule(offer, facts, terms, now_ms)
        return ruling

    def kill_collector(self, process: CollectorProcess) -> None:
        """Kill -9."""
        if process.life is None or process.link is None:
            return
        process.life.alive = False
        process.link.close()
        process.life = process.link = process.collector = None

    # ---- crashes ------------------------------------------------------------------------------------------

    def arm(self, name: str) -> None:
        """The process dies at its next durable write, right after it, if it does not die before."""
        self._armed.add(name)

    def crash_point(self, name: str) -> None:
        """Something of this process has just become durable, and nobody knows it yet."""
        if name in self._armed:
            self.bite["crash after a write"] += 1
            self.crash(name)
            raise Killed

    def crash(self, name: str) -> None:
        """End a process now, and start it again some seconds later."""
        self._armed.discard(name)
        for process in self.collectors:
            if process.name == name and process.life is not None:
                self._ended(
                    name, partial(self.kill_collector, process), partial(self.start_collector, process)
                )
        for register in self.registers.values():
            if register.identity.common_name == name and register.alive:
                self._ended(name, register.end, register.start)
        if name == "keeper" and self.keeper.life is not None:
            self._ended(name, self.keeper.kill, self.keeper.start)

    def _ended(self, name: str, kill: Callable[[], None], start: Callable[[], None]) -> None:
        self.crashes += 1
        self.referee.note(f"{name} is killed")
        kill()

        def again() -> None:
            self.referee.note(f"{name} starts again")
            start()

        self.loop.call_later(self.chance.uniform(0.5, 30), again, context=self.loop.world)

    # ---- the story ----------------------------------------------------------------------------------------

    def play(self) -> Outcome:
        """From opening time until everything has come to rest."""
        loop, referee = self.loop, self.referee
        try:
            self.start_all()
            self._schedule()
            loop.run_until(self._violated, until_s=ACTIVE_S)
            self._calm()
            ended = loop.run_until(lambda: self._violated() or self._at_rest(), until_s=ACTIVE_S + QUIET_S)
            if not ended:
                referee.violated(f"no rest: {self._restless()}")
            if not referee.violations:
                loop.run_until(self._violated, until_s=loop.time() + 2 * LIMITS.sweep_after_ms / 1000)
                self._sweep()
                self._judge()
            for context in loop.unhandled:
                referee.violated(f"unhandled: {context.get('message')} {context.get('exception')!r:.200}")
            for task in loop.failed_tasks():
                referee.violated(f"died: {task}")
            return Outcome(
                self.seed,
                referee.violations,
                list(referee.events),
                self.faults,
                self.bite,
                referee.counts,
                loop.steps,
                self.crashes,
                len(self.registers),
                len(self.consent_keys),
                len(self.collectors),
            )
        finally:
            loop.close()

    def _violated(self) -> bool:
        return bool(self.referee.violations)

    def _schedule(self) -> None:
        for _ in range(CUSTOMERS):
            self._at(self.chance.uniform(0, 0.95) * ACTIVE_S, self._customer)
        for fault in self.faults:
            self._at(fault.at_s, partial(self.mischief.begin, fault))
            if fault.for_s:
                self._at(min(fault.at_s + fault.for_s, ACTIVE_S - 1), partial(self.mischief.end, fault))

    def _at(self, at_s: float, what: Callable[[], None]) -> None:
        self.loop.call_at(at_s, what, context=self.loop.world)

    def _customer(self) -> None:
        serving = [register for register in self.registers.values() if register.alive]
        if serving:
            regrets_s = self.chance.choice((0.0, 0.05, 2.0, 60.0)) if self.chance.random() < 0.1 else None
            agrees = self.chance.choices((True, False, None), weights=(7, 1, 2))[0]
            buys = self.chance.random() < 0.6
            self.chance.choice(serving).serve(agrees=agrees, buys=buys, regrets_s=regrets_s)

    def _calm(self) -> None:
        """The faults end; who is dead starts again (soon), who was forgotten gets customers."""
        self.trouble.calm()
        self._armed.clear()
        self.mischief.calm()
        captured = len(self.referee.books.captured)
        for number in range(max(0, MESSAGES - captured)):
            self._at(ACTIVE_S + number * 0.5, self._customer)

    def _at_rest(self) -> bool:
        if self.loop.time() < ACTIVE_S + 60 or self.loop.time() < self._looked_s + 5:
            return False
        self._looked_s = self.loop.time()
        return not self._restless()

    def _restless(self) -> str:
        """What is not done yet; empty when all is."""
        for identity, register in self.registers.items():
            if not register.alive or not register.harvested:
                return f"{identity} has not harvested its journal"
            if waiting := self.referee.books.open.get(identity):
                message_id, captured = next(iter(waiting.items()))
                return (
                    f"{identity} still has {captured.kind} {message_id.hex()[:8]} and {len(waiting) - 1} more"
                )
        for tenant in self.consent_keys:
            if unfinished := self.records.unfinished(tenant):
                return f"{tenant}: consent {unfinished[0].consent.hex()[:8]} is not erased"
        return ""

    def _sweep(self) -> None:
        """The thorough round of the day."""
        sweeper = Sweeper(
            self.real_ledger,
            WatchedObjects(InThreads(self.bucket, at_once), self.referee),
            self.directory,
            self.clock,
            Watch(self.referee),
            sweep_after_ms=LIMITS.sweep_after_ms,
        )
        task = self.loop.create_task(sweeper.sweep(), name="last sweep")
        self.loop.run_until(task.done, until_s=self.loop.time() + 60)
        task.result()

    def _judge(self) -> None:
        """At rest: one row and one version a message, every fate the one that it should be, nothing opens."""
        judge(self)


LIMITS = Limits()


def _group_of(topic: str) -> str | None:
    kind = Topic.parse(topic).kind
    if kind is Up.FRAME:
        return "frames"
    if kind in RECEIPTED:
        return "events"
    return "keeper" if kind is Up.REPORT else None


def run_seed(seed: int, mutant: Mutant = NONE, faults: tuple[Fault, ...] | None = None) -> Outcome:
    """Play one seed; with other faults than it would draw, where they are given."""
    with quick():
        return Twin(seed, mutant, faults).play()


def run_seeds(seeds: range) -> list[Outcome]:
    """Play many, in a process of their own: what one leaves behind is collected after it, not during it."""
    gc.collect()
    gc.freeze()
    gc.disable()
    outcomes = []
    for number, seed in enumerate(seeds):
        outcomes.append(run_seed(seed))
        if number % 10 == 9:
            gc.collect()
    gc.enable()
    return outcomes
