"""The delivery's decisions, one event at a time; times are monotonic milliseconds."""

from collections.abc import Iterable
from itertools import pairwise

import pytest

from edge_agent.uplink.accounting import Fate
from edge_agent.uplink.connection import State
from edge_agent.uplink.delivery import TOO_LARGE, Delivery
from edge_agent.uplink.delivery_events import (
    Action,
    Connect,
    Disconnect,
    End,
    Erase,
    EraseCame,
    Event,
    Found,
    Ignore,
    Look,
    Missing,
    Publish,
    ReceiptCame,
    Release,
    SetAside,
    SpoolAgain,
    SpoolChanged,
    Tick,
    WakeAt,
)
from edge_agent.uplink.delivery_policy import PACKET_OVERHEAD_BYTES, DeliveryPolicy
from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.link_events import BrokerRefused, Connected, Disconnected, PubAcked
from edge_agent.uplink.spooled import Entry
from tests.builders.spool_messages import entry, id16, receipt
from wire_protocol.messages import Verdict
from wire_protocol.reasons import Reason
from wire_protocol.topics import Up

_POLICY = DeliveryPolicy(
    window_count=4,
    window_bytes=300_000,
    frames_count=2,
    frames_bytes=200_000,
    per_s=1e6,
    burst=1000,
    start_jitter_ms=0,
)
_LARGE_PACKET = 256 << 10


class _Shell:
    """Runs a delivery over lists of entries, as the daemon does over a spool; keeps what it wanted."""

    def __init__(self, policy: DeliveryPolicy = _POLICY, chance: float = 0.5) -> None:
        self.delivery = Delivery(policy, lambda: chance)
        self.spooled: list[Entry] = []
        self.now_ms = 0
        self.wake_at_ms: int | None = None

    def tell(self, event: Event) -> list[Action]:
        """What it wanted in the end, without what the shell did for it: Look, and when to wake."""
        wanted: list[Action] = []
        actions = self.delivery.handle(event, self.now_ms)
        self.wake_at_ms = None
        while actions:
            action = actions.pop(0)
            match action:
                case WakeAt(at_ms):
                    self.wake_at_ms = at_ms
                case Look(lane, after, limit):
                    found = [one for one in self.spooled if one.lane is lane and one.position > after]
                    actions += self.delivery.handle(Found(lane, after, tuple(found[:limit])), self.now_ms)
                case _:
                    wanted.append(action)
        return wanted

    def online(self, *spooled: Entry, max_packet_bytes: int = _LARGE_PACKET) -> list[Entry]:
        """Connect with this in the spool; what was published."""
        self.spooled = list(spooled)
        assert self.tell(Tick()) == [Connect()]
        return _published(self.tell(Connected(max_packet_bytes)))

    def wake(self) -> list[Action]:
        """Let time pass until it wanted to be woken."""
        assert self.wake_at_ms is not None
        assert self.wake_at_ms >= self.now_ms
        self.now_ms = self.wake_at_ms
        return self.tell(Tick())


def _published(actions: Iterable[Action]) -> list[Entry]:
    return [action.entry for action in actions if isinstance(action, Publish)]


def test_nothing_is_published_before_the_broker_accepted_us() -> None:
    shell = _Shell()
    shell.spooled = [entry(1)]
    assert shell.tell(SpoolChanged(Lane.FRAMES)) == [Connect()]
    assert shell.tell(SpoolChanged(Lane.FRAMES)) == []
    assert _published(shell.tell(Connected(_LARGE_PACKET))) == [entry(1)]


def test_lanes_go_in_order_and_the_window_stays_small() -> None:
    """T16: a frame leaves only when no small message is left to send."""
    shell = _Shell()
    lanes = [Up.FRAME, Up.OUTCOME, Up.CONSENT, Up.INTERACTION, Up.WITHDRAWAL] * 3
    spooled = [entry(position, kind) for position, kind in enumerate(lanes, 1)]
    sent = shell.online(*spooled)
    while len(sent) < len(spooled):
        assert shell.delivery.under_way <= _POLICY.window_count
        acknowledged = sent[-shell.delivery.under_way]
        shell.spooled.remove(acknowledged)
        sent += _published(shell.tell(ReceiptCame(receipt(acknowledged))))
    assert sent == sorted(spooled, key=lambda one: (one.lane, one.position))


def test_frames_leave_room_in_the_window() -> None:
    """A quota on frames, answered with `retry`, never holds up a withdrawal."""
    shell = _Shell()
    frames = [entry(position) for position in range(1, 6)]
    for sent in shell.online(*frames):
        shell.tell(ReceiptCame(receipt(sent, Verdict.RETRY, retry_after_ms=3_600_000)))
    assert shell.delivery.under_way == _POLICY.frames_count
    late = entry(9, Up.WITHDRAWAL)
    shell.spooled.append(late)
    assert _published(shell.tell(SpoolChanged(Lane.WITHDRAWALS))) == [late]


def test_the_window_is_bounded_by_bytes() -> None:
    """A message that does not fit waits, and is not asked for again and again."""
    shell = _Shell()
    frames = [entry(position, size=120_000) for position in (1, 2)]
    assert shell.online(*frames) == frames[:1]
    assert shell.delivery.under_way_bytes == 120_000
    assert shell.tell(Tick()) == []
    shell.spooled.remove(frames[0])
    assert _published(shell.tell(ReceiptCame(receipt(frames[0])))) == frames[1:]


def test_an_acknowledgement_of_the_broker_ends_nothing() -> None:
    """T17: brokers acknowledge what they lose; the message is sent again when no receipt comes."""
    shell = _Shell(chance=0)
    (sent,) = shell.online(entry(1))
    assert shell.tell(PubAcked(sent.message_id)) == []
    assert _published(shell.wake()) == [sent]
    assert shell.now_ms == _POLICY.receipt_timeout_ms


def test_waiting_for_a_receipt_gets_longer_and_has_an_end() -> None:
    shell = _Shell(chance=0)
    shell.online(entry(1))
    times = [shell.now_ms for _ in range(8) if shell.wake()]
    waits = [after - before for before, after in pairwise(times)]
    assert waits[:3] == [60_000, 120_000, 240_000]
    assert max(waits) == _POLICY.resend_longest_ms


@pytest.mark.parametrize("code", [0x10, 0x80, 0x83, 0x87, 0x97])
def test_what_the_broker_did_not_pass_on_is_sent_again_later(code: int) -> None:
    """T17: 0x10 says that nobody was subscribed; it is no success."""
    shell = _Shell()
    (sent,) = shell.online(entry(1))
    assert shell.tell(BrokerRefused(sent.message_id, code)) == []
    assert _published(shell.wake()) == [sent]
    assert shell.now_ms >= _POLICY.receipt_timeout_ms


def test_what_the_broker_will_never_take_is_set_aside() -> None:
    shell = _Shell()
    (sent,) = shell.online(entry(1))
    assert shell.tell(BrokerRefused(sent.message_id, 0x99)) == [SetAside(sent, "broker-refused-0x99")]
    assert shell.delivery.under_way == 0


@pytest.mark.parametrize(
    ("verdict", "fate"),
    [(Verdict.STORED, Fate.STORED), (Verdict.REFUSED, Fate.REFUSED), (Verdict.GONE, Fate.GONE)],
)
def test_a_receipt_ends_a_message(verdict: Verdict, fate: Fate) -> None:
    shell = _Shell()
    (sent,) = shell.online(entry(1))
    reason = Reason.TOO_OLD if verdict is Verdict.REFUSED else None
    assert shell.tell(ReceiptCame(receipt(sent, verdict, reason=reason))) == [End(sent, fate, reason)]
    assert shell.delivery.under_way == 0


def test_a_receipt_for_other_bytes_ends_nothing() -> None:
    """T4: the id alone proves nothing."""
    shell = _Shell()
    (sent,) = shell.online(entry(1))
    wrong = receipt(sent, sha256=bytes(32))
    assert shell.tell(ReceiptCame(wrong)) == [Ignore(sent.message_id, "other-bytes")]
    assert shell.delivery.under_way == 1


def test_a_second_receipt_ends_nothing() -> None:
    """T4: duplicates are harmless."""
    shell = _Shell()
    (sent,) = shell.online(entry(1))
    shell.tell(ReceiptCame(receipt(sent)))
    assert shell.tell(ReceiptCame(receipt(sent))) == [Ignore(sent.message_id, "not-under-way")]


def test_retry_is_honoured_over_a_reconnect() -> None:
    """T18: not a moment earlier than the cloud asked for, whatever the connection does."""
    shell = _Shell(chance=0.999)
    (sent,) = shell.online(entry(1))
    shell.tell(ReceiptCame(receipt(sent, Verdict.RETRY, retry_after_ms=900_000)))
    shell.tell(Disconnected("test"))
    shell.wake()
    assert _published(shell.tell(Connected(_LARGE_PACKET))) == []
    assert _published(shell.wake()) == [sent]
    assert 900_000 <= shell.now_ms <= 900_000 * 1.25


def test_what_was_under_way_is_sent_again_after_a_reconnect() -> None:
    """T17: its receipt may have been lost with the connection; the window does not grow by it."""
    shell = _Shell()
    sent = shell.online(*(entry(position) for position in range(1, 4)))
    shell.tell(PubAcked(sent[0].message_id))
    assert _published(shell.tell(Disconnected("test"))) == []
    shell.wake()
    assert _published(shell.tell(Connected(_LARGE_PACKET))) == sent
    assert shell.delivery.under_way == 2


def test_a_message_larger_than_the_broker_takes_is_set_aside() -> None:
    """An oversized publish ends the connection, and would be sent again for ever."""
    shell = _Shell()
    large, small = entry(1, size=3000), entry(2, size=100)
    shell.spooled = [large, small]
    shell.tell(Tick())
    limit = 3000 + PACKET_OVERHEAD_BYTES
    actions = shell.tell(Connected(limit - 1))
    assert SetAside(large, TOO_LARGE) in actions
    assert _published(actions) == [small]
    assert Release(limit - 1 - PACKET_OVERHEAD_BYTES) in actions


def test_a_broker_that_takes_less_than_the_last_one_sets_aside_what_is_under_way() -> None:
    shell = _Shell()
    (sent,) = shell.online(entry(1, size=3000))
    shell.tell(Disconnected("test"))
    shell.wake()
    assert SetAside(sent, TOO_LARGE) in shell.tell(Connected(2000))
    assert shell.delivery.under_way == 0


def test_a_larger_broker_gets_what_was_set_aside() -> None:
    """Released by the spool before the first Look; positions behind it do not hide it."""
    shell = _Shell()
    shell.online(entry(5))
    shell.tell(Disconnected("test"))
    shell.wake()
    shell.spooled.insert(0, entry(1))
    assert entry(1) in _published(shell.tell(Connected(_LARGE_PACKET)))


def test_an_erasure_leaves_the_window_and_the_spool() -> None:
    """T25: nothing of it is sent again."""
    shell = _Shell()
    first, second = shell.online(entry(1), entry(2))
    assert first.consent is not None
    assert shell.tell(EraseCame((first.consent,))) == [Erase((first.consent,))]
    shell.spooled.remove(first)
    assert shell.delivery.under_way == 1
    assert _published(shell.wake()) == [second]


def test_a_message_that_left_the_spool_leaves_the_window() -> None:
    shell = _Shell()
    (sent,) = shell.online(entry(1))
    shell.spooled.clear()
    shell.tell(Missing(sent.message_id))
    assert shell.delivery.under_way == 0


def test_what_a_spool_refused_to_end_is_found_again() -> None:
    """T14: the disk failed at the ending; the message goes once more and gets the same receipt."""
    shell = _Shell()
    (sent,) = shell.online(entry(1))
    shell.tell(ReceiptCame(receipt(sent)))
    assert _published(shell.tell(SpoolAgain())) == [sent]


def test_something_spooled_during_a_look_is_not_overlooked() -> None:
    """The answer to the Look may be older than the message."""
    delivery = Delivery(_POLICY, lambda: 0.0)
    delivery.handle(Tick(), 0)
    (look,) = [a for a in delivery.handle(Connected(_LARGE_PACKET), 0) if isinstance(a, Look)]
    assert look.lane is Lane.WITHDRAWALS
    delivery.handle(SpoolChanged(Lane.WITHDRAWALS), 0)
    (again,) = delivery.handle(Found(look.lane, look.after, ()), 0)
    assert again == look


def test_the_pace_is_kept() -> None:
    """A backlog drains so many a second, after one burst."""
    policy = DeliveryPolicy(start_jitter_ms=0, per_s=10, burst=3)
    shell = _Shell(policy)
    sent = shell.online(*(entry(position, Up.OUTCOME) for position in range(1, 20)))
    assert len(sent) == 3
    assert (shell.wake_at_ms, len(_published(shell.wake()))) == (100, 1)
    assert (shell.wake_at_ms, len(_published(shell.wake()))) == (200, 1)


def test_a_broker_that_does_not_answer_is_given_up() -> None:
    """And its late answer changes nothing."""
    shell = _Shell()
    shell.tell(Tick())
    assert shell.wake() == [Disconnect()]
    assert shell.now_ms == _POLICY.connect_timeout_ms
    assert shell.tell(Connected(_LARGE_PACKET)) == []
    shell.tell(Disconnected("timeout"))
    assert shell.wake() == [Connect()]
    assert shell.delivery.state is State.CONNECTING


def test_news_of_what_is_not_under_way_is_harmless() -> None:
    shell = _Shell()
    shell.online(entry(1))
    for event in (PubAcked(id16(9)), BrokerRefused(id16(9), 0x99), Missing(id16(9))):
        assert shell.tell(event) == []
    assert shell.delivery.under_way == 1


def test_a_connection_that_was_never_asked_for_is_an_error() -> None:
    """A link that tells nonsense is a bug, and not to be guessed around."""
    with pytest.raises(ValueError, match="cannot become"):
        Delivery(_POLICY, lambda: 0.0).handle(Connected(_LARGE_PACKET), 0)
