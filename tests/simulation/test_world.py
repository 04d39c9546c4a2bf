"""The simulated world is as bad as it says, and no worse: its loop, its broker, its disk, its keys."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable

import pytest

from edge_agent.uplink.accounting import Fate
from edge_agent.uplink.errors import SpoolError
from edge_agent.uplink.memory_spool import MemorySpool
from edge_agent.uplink.spooled import Ending, Outgoing, Write
from tests.simulation.world.broker import NOT_DELIVERED, Broker, Session, Weather
from tests.simulation.world.disk import FaultyDisk
from tests.simulation.world.faults import CRASHES, Kind, Trouble, draw_faults
from tests.simulation.world.loop import Killed, Life, VirtualLoop, in_life
from tests.simulation.world.paper_keys import new_key
from tests.simulation.world.referee import Referee
from wire_protocol.topics import Identity, Up

TILL = Identity("acme", "till-1")


@pytest.fixture
def loop() -> VirtualLoop:
    return VirtualLoop(random.Random(1))


def never() -> bool:
    return False


# ---- loop -------------------------------------------------------------------------------------------------


def test_time_jumps_to_the_next_timer(loop: VirtualLoop) -> None:
    """A day passes at once, and only where somebody waits for it."""
    task = loop.create_task(asyncio.sleep(86_400))
    assert loop.run_until(task.done, until_s=100_000)
    assert loop.time() == 86_400


def test_a_limit_of_time_is_kept(loop: VirtualLoop) -> None:
    """What is due later has not happened."""
    task = loop.create_task(asyncio.sleep(50))
    assert not loop.run_until(task.done, until_s=10)
    assert loop.time() == 10
    loop.close()


async def _note(name: str, into: list[str]) -> None:
    into.append(name)


def test_the_seed_draws_the_order() -> None:
    """What is ready together runs in another order under another seed, and in the same under the same."""

    def order(seed: int) -> str:
        loop, ran = VirtualLoop(random.Random(seed)), list[str]()
        for name in "abcdef":
            loop.create_task(_note(name, ran))
        loop.run_until(never, until_s=1)
        return "".join(ran)

    assert order(1) == order(1)
    assert len({order(seed) for seed in range(20)}) > 10
    assert sorted(order(3)) == list("abcdef")


def test_timeouts_and_groups_of_asyncio_work(loop: VirtualLoop) -> None:
    """The code under test is not written for this loop."""

    async def body() -> str:
        async with asyncio.TaskGroup() as group:
            done = group.create_task(asyncio.sleep(3, "slept"))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), 2)
        return done.result() + await asyncio.to_thread(str.upper, " called")

    task = loop.create_task(body())
    assert loop.run_until(task.done, until_s=10)
    assert task.result() == "slept CALLED"


def test_a_killed_process_does_nothing_any_more(loop: VirtualLoop) -> None:
    """T13: no `finally`, no `except`, no callback of it runs; another process goes on."""
    did: list[str] = []
    life = Life("victim")

    async def body(name: str) -> None:
        try:
            await asyncio.sleep(1)
            did.append(f"{name} went on")
        finally:
            did.append(f"{name} cleaned up")

    in_life(loop, life, body("victim"), "victim")
    in_life(loop, Life("other"), body("other"), "other")
    loop.call_later(0.5, lambda: setattr(life, "alive", False))
    loop.run_until(never, until_s=10)
    assert did == ["other went on", "other cleaned up"]
    loop.close()


def test_an_error_in_a_task_is_not_overlooked(loop: VirtualLoop) -> None:
    """A daemon would die of it, so the twin tells it."""

    async def fails() -> None:
        await asyncio.sleep(1)
        raise LookupError("mistake")

    async def dies() -> None:
        await asyncio.sleep(1)
        raise Killed

    loop.create_task(fails(), name="one")
    loop.create_task(dies(), name="two")
    loop.run_until(never, until_s=5)
    assert loop.failed_tasks() == ["one: LookupError('mistake')"]


# ---- broker -----------------------------------------------------------------------------------------------


class Client:
    """A client that remembers what it was told."""

    def __init__(self, broker: Broker, name: str, **place: tuple[str, ...]) -> None:
        self.got: list[bytes] = []
        self.closed = 0
        self.codes: list[int] = []
        self.acknowledges = True
        self.session = Session(name, self._message, self._close, lambda what: what(), **place)
        self._broker = broker
        assert broker.connect(self.session)

    def publish(self, topic: str, payload: bytes) -> None:
        self._broker.publish(self.session, topic, payload, self.codes.append)

    def _message(self, _: str, payload: bytes, acknowledge: Callable[[], None]) -> None:
        self.got.append(payload)
        if self.acknowledges:
            acknowledge()

    def _close(self) -> None:
        self.closed += 1


@pytest.fixture
def broker(loop: VirtualLoop) -> Broker:
    return Broker(loop, random.Random(2), lambda topic: "frames" if "frame" in topic else None, Counter())


def test_a_group_gets_each_message_once(loop: VirtualLoop, broker: Broker) -> None:
    """A shared subscription: one member each, and each member some."""
    sender, *members = Client(broker, "a"), *(Client(broker, f"m{n}", groups=("frames",)) for n in range(2))
    for number in range(40):
        sender.publish("up/frame", bytes([number]))
    loop.run_until(never, until_s=5)
    assert sorted(members[0].got + members[1].got) == [bytes([number]) for number in range(40)]
    assert members[0].got
    assert members[1].got
    assert sender.codes == [0] * 40


def test_nobody_there_is_told_in_the_puback(loop: VirtualLoop, broker: Broker) -> None:
    """MQTT 5: reason 0x10; the message is gone."""
    sender = Client(broker, "a")
    sender.publish("up/frame", b"x")
    loop.run_until(never, until_s=5)
    late = Client(broker, "m", groups=("frames",))
    loop.run_until(never, until_s=9)
    assert sender.codes == [NOT_DELIVERED]
    assert late.got == []


def test_a_puback_may_be_a_lie(loop: VirtualLoop, broker: Broker) -> None:
    """T17: acknowledged with success, and delivered to nobody."""
    sender, member = Client(broker, "a"), Client(broker, "m", groups=("frames",))
    broker.weather = Weather(lie=1.0)
    sender.publish("up/frame", b"x")
    loop.run_until(never, until_s=5)
    assert (sender.codes, member.got) == ([0], [])


def test_a_crash_loses_every_queue_and_connection(loop: VirtualLoop, broker: Broker) -> None:
    """T17: what was acknowledged and not delivered is gone."""
    sender, member = Client(broker, "a"), Client(broker, "m", groups=("frames",))
    broker.weather = Weather(delay_s=10.0)
    sender.publish("up/frame", b"x")
    broker.crash()
    loop.run_until(never, until_s=60)
    assert (member.got, sender.closed, member.closed) == ([], 1, 1)


def test_what_a_member_did_not_acknowledge_may_come_to_another(loop: VirtualLoop) -> None:
    """Or to nobody: a broker promises neither."""
    outcomes = set()
    for seed in range(20):
        broker = Broker(loop, random.Random(seed), lambda _: "frames", Counter())
        sender, dead = Client(broker, "a"), Client(broker, "m1", groups=("frames",))
        dead.acknowledges = False
        sender.publish("up/frame", b"x")
        loop.run_until(never, until_s=loop.time() + 5)
        other = Client(broker, "m2", groups=("frames",))
        broker.close(dead.session)
        loop.run_until(never, until_s=loop.time() + 5)
        outcomes.add(len(other.got))
    assert outcomes == {0, 1}


# ---- disk, faults, keys -----------------------------------------------------------------------------------


@pytest.fixture
def trouble() -> Trouble:
    return Trouble(random.Random(3), Counter())


@pytest.fixture
def referee() -> Referee:
    return Referee(lambda: 0, lambda *_: None, lambda *_: False, lambda *_: False)


def _message(number: int) -> Outgoing:
    return Outgoing(bytes([number]) * 16, Up.OUTCOME, b"bytes", bytes(32), 0)


def test_a_full_disk_changes_nothing(trouble: Trouble, referee: Referee) -> None:
    """T12: a refused write happened not at all."""
    disk = FaultyDisk(MemorySpool(lambda: 0), TILL, trouble, referee, lambda: None)
    trouble.switch(Kind.DISK_FULL, TILL.common_name, on=True)
    with pytest.raises(SpoolError):
        disk.write(Write(messages=(_message(1),)))
    trouble.calm()
    assert disk.load(_message(1).message_id) is None
    assert trouble.bite[Kind.DISK_FULL] == 1
    assert not referee.violations


def test_the_referee_sees_what_a_spool_forgets(trouble: Trouble, referee: Referee) -> None:
    """T4: a captured outcome that is gone without a receipt is a loss, however it went."""
    spool = MemorySpool(lambda: 0)
    disk = FaultyDisk(spool, TILL, trouble, referee, lambda: None)
    disk.write(Write(messages=(_message(1), _message(2))))
    assert not referee.violations
    spool._messages.popitem()
    disk.power_cut()
    assert any("accounting" in violation for violation in referee.violations)
    assert any("dropped, and only frames may be" in violation for violation in referee.violations)


def test_the_referee_sees_an_end_that_nobody_has_a_row_for(trouble: Trouble, referee: Referee) -> None:
    """T4: stored is what the ledger has, not what a register believes."""
    disk = FaultyDisk(MemorySpool(lambda: 0), TILL, trouble, referee, lambda: None)
    disk.write(Write(messages=(_message(1),)))
    disk.write(Write(endings=(Ending(_message(1).message_id, Fate.STORED),)))
    assert "the cloud has no row" in referee.violations[0]


def test_every_seed_has_rain_and_a_crash() -> None:
    """The least that threat T4 asks for does not depend on luck."""
    for seed in range(50):
        kinds = {fault.kind for fault in draw_faults(random.Random(seed), 20, 900)}
        assert Kind.RAIN in kinds
        assert kinds & {*CRASHES}


@pytest.mark.parametrize("real", [False, True])
def test_keys_of_paper_verify_like_real_ones(real: bool) -> None:  # noqa: FBT001
    """Own signatures hold; other data, another key and one flipped bit do not."""
    key, other = (new_key(random.Random(seed), real=real) for seed in (1, 2))
    signature = key.sign(b"data")
    assert len(signature) == 64
    assert key.verification_key.verifies(signature, b"data")
    assert not key.verification_key.verifies(signature, b"other")
    assert not other.verification_key.verifies(signature, b"data")
    assert not key.verification_key.verifies(bytes([signature[0] ^ 1]) + signature[1:], b"data")
    assert key.kid != other.kid
