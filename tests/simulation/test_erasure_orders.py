"""Erasure against upload and opening: every order of their steps, none left out.

The steps are those of the real parts: the keeper's eraser yields after each of its own; the collector
decides, puts the object, then in one transaction either writes the row or, where the consent ended meanwhile,
deletes its version; a reader decides, then opens in the vault.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from cloud.collector.acceptance import object_key
from cloud.objects.memory_store import MemoryStore
from cloud.privacy.erasure import Eraser
from cloud.privacy.erasure_plan import Proof, Source, Step, Withdrawal, proof_of
from cloud.privacy.errors import KeyGone
from cloud.privacy.memory_key_vault import MemoryKeyVault
from tests.builders.wire_messages import BLANK, IDENTITY, INTERACTION, REGISTER_KEY, TENANT
from wire_protocol import envelope
from wire_protocol.envelope import Header, seal_info
from wire_protocol.messages import FrameUp
from wire_protocol.sealing import seal
from wire_protocol.topics import Topic, Up

NOW_MS = 1_795_000_000_000
PICTURE = b"what the customer's picture would be"
Steps = Iterator[str]


def _frame(vault: MemoryKeyVault) -> tuple[bytes, bytes, bytes, bytes]:
    """Consent, info, sealed picture and message of one frame."""
    (key,) = vault.issue(TENANT, BLANK.register, 1, NOW_MS, NOW_MS + 1)
    header = Header(Topic(IDENTITY, Up.FRAME), bytes(16), 1, NOW_MS)
    info = seal_info(header, REGISTER_KEY.kid)
    sealed = seal(PICTURE, key.public_key, info)
    payload = FrameUp(INTERACTION, key.blank, NOW_MS, 16, 16, len(PICTURE))
    return key.blank, info, sealed, envelope.make(header, payload, (b"receipt", sealed), REGISTER_KEY)


_FIRST = MemoryKeyVault()
_FRAME = _frame(_FIRST)


@dataclass
class World:
    """One frame on its way, its consent about to end; the records are plain dictionaries."""

    vault: MemoryKeyVault = field(default_factory=MemoryKeyVault)
    objects: MemoryStore = field(default_factory=lambda: MemoryStore(lambda: NOW_MS))
    rows: dict[str, bytes] = field(default_factory=dict)
    row: Withdrawal | None = None
    verdict: str = ""
    opened: list[str] = field(default_factory=list)
    """What happened, in its order: `opened`, `key-destroyed`, `erased`."""

    def __post_init__(self) -> None:
        # Keys and signatures are made once: thousands of worlds begin with the same frame.
        self.vault._held = {name: replace(held) for name, held in _FIRST._held.items()}
        self.consent, self.info, self.sealed, self.message = _FRAME
        self.key = object_key(TENANT, INTERACTION)

    # What the eraser asks of the database.

    def mark_key_destroyed(self, tenant: str, consent: bytes, now_ms: int) -> None:
        assert self.row is not None
        if self.row.key_destroyed_at_ms is None:
            self.row = replace(self.row, key_destroyed_at_ms=now_ms)

    def object_keys(self, tenant: str, consent: bytes) -> Sequence[str]:
        return [self.key]

    def versions_of(self, tenant: str, key: str) -> Mapping[str, bytes]:
        return dict(self.rows)

    def mark_erased(self, tenant: str, consent: bytes, versions_deleted: int, now_ms: int) -> Proof:
        assert self.row is not None
        self.row = replace(self.row, versions_deleted_at_ms=now_ms, versions_deleted=versions_deleted)
        return proof_of(self.row)

    # The actors.

    def withdraw(self) -> None:
        if self.row is None:
            self.row = Withdrawal(TENANT, self.consent, Source.CUSTOMER, NOW_MS, NOW_MS)

    def eraser(self) -> Steps:
        self.withdraw()
        yield "withdrawn"
        assert self.row is not None
        for step, _ in Eraser(self, self.vault, self.objects, lambda: NOW_MS).erase(TENANT, [self.row]):
            if step in {Step.KEY_DESTROYED, Step.ERASED}:
                self.opened.append(step.value)
            yield step.value

    def collector(self) -> Steps:
        if self.row is not None:
            self.verdict = "gone"
            return
        yield "accepted"
        version = self.objects.put(self.key, self.message, {}, {})
        yield "put"
        if self.row is not None:
            # In one transaction with the row's end; the version goes at once or with the sweeper.
            self.verdict = "gone"
            yield "gone"
            self.objects.delete(self.key, version)
        else:
            self.rows[version] = self.consent
            self.verdict = "stored"
        yield "done"

    def reader(self) -> Steps:
        if self.row is not None:
            return
        yield "decided"
        try:
            assert self.vault.unseal(TENANT, self.consent, self.sealed, self.info) == PICTURE
        except KeyGone:
            return
        self.opened.append("opened")
        yield "opened"

    def left(self) -> int:
        return sum(1 for found in self.objects.versions(self.key) if found.key == self.key)


Actor = Callable[[World], Steps]
ACTORS: dict[str, Actor] = {"e": World.eraser, "c": World.collector, "r": World.reader}


def _orders(counts: Mapping[str, int]) -> list[str]:
    """Every word with so many of each letter."""
    letters = [letter for letter, count in counts.items() for _ in range(count)]
    total = len(letters)
    words = {""}
    for length in range(1, total + 1):
        words = {
            word + letter
            for word in words
            for letter in counts
            if (word + letter).count(letter) <= counts[letter] and len(word) == length - 1
        }
    return sorted(words)


def _run(order: str, actors: Mapping[str, Actor] = ACTORS) -> World:
    """Take the actors' steps in this order, and then whatever each has left."""
    world = World()
    running = {letter: actor(world) for letter, actor in actors.items()}
    for letter in itertools.chain(order, *(letter * 20 for letter in running)):
        next(running[letter], None)
    return world


ORDERS = _orders({"e": 7, "c": 4, "r": 2})


def _check(world: World) -> None:
    """What must hold after any order, once the sweeper was there."""
    # 1. Nobody opens after the key's destruction.
    assert "opened" not in world.opened[world.opened.index(Step.KEY_DESTROYED.value) :]
    with pytest.raises(KeyGone):
        world.vault.unseal(TENANT, world.consent, world.sealed, world.info)
    # 2. No version is left, and the register was not told `stored` of what came too late.
    assert world.left() == 0
    assert world.verdict in {"stored", "gone"}
    # 3. The log was written, and the proof can be.
    assert world.row is not None
    assert proof_of(world.row)
    assert [found.key for found in world.objects.versions("erasure-log/")]


def test_every_order_of_erasure_upload_and_opening() -> None:
    """T25: every order of eraser, collector and reader ends erased; some open before, none after."""
    assert len(ORDERS) == 25740
    seen = set()
    for order in ORDERS:
        world = _run(order)
        _check(world)
        seen.add((world.verdict, "opened" in world.opened))
    assert seen == {("stored", True), ("stored", False), ("gone", True), ("gone", False)}


def test_two_keepers_at_once_end_the_same() -> None:
    """T25: two keepers and a collector in every order: nothing is left and nothing fails."""
    actors: dict[str, Actor] = {"e": World.eraser, "f": World.eraser, "c": World.collector}
    for order in _orders({"e": 5, "f": 5, "c": 2}):
        if order.index("e") < order.index("f"):  # the keepers are alike
            _check(_run(order, actors))


def _forgetful_collector(world: World) -> Steps:
    """The mutant: it never looks again whether the consent ended while the object was being put."""
    if world.row is not None:
        world.verdict = "gone"
        return
    yield "accepted"
    version = world.objects.put(world.key, world.message, {}, {})
    yield "put"
    world.rows[version] = world.consent
    world.verdict = "stored"


def _late_reader(world: World) -> Steps:
    """The mutant: it takes the key first and opens with it later, outside of the vault."""
    from wire_protocol.sealing import unseal

    private = world.vault._held[TENANT, world.consent].private
    yield "took the key"
    if private is not None:
        assert unseal(world.sealed, private, world.info) == PICTURE
        world.opened.append("opened")


@pytest.mark.parametrize(
    "mutant", [{"c": _forgetful_collector}, {"r": _late_reader}], ids=["collector", "reader"]
)
def test_the_orders_catch_mutants(mutant: dict[str, Actor]) -> None:
    """T25: a collector that does not look again, or a reader that keeps the key, is caught by some order."""

    def holds(order: str) -> bool:
        try:
            _check(_run(order, ACTORS | mutant))
        except AssertionError:
            return False
        return True

    assert not all(holds(order) for order in ORDERS[::7])
