import random

from cloud.ack_order import AckOrder


def test_what_is_finished_early_waits_for_those_before_it() -> None:
    """A refused frame is done long before the stored one ahead of it, and is acknowledged after it."""
    order = AckOrder()
    for packet in (4, 5, 6):
        order.arrived(packet)
    assert order.finished(6) == []
    assert order.finished(4) == [4]
    assert order.finished(5) == [5, 6]


def test_packet_identifiers_come_again() -> None:
    order = AckOrder()
    for packet in (1, 2, 1, 2):
        order.arrived(packet)
        assert order.finished(packet) == [packet]


def test_any_order_of_work_acknowledges_all_in_the_order_of_arrival() -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    packets = chance.sample(range(1, 65_536), 200)
    order = AckOrder()
    for packet in packets:
        order.arrived(packet)
    done = [due for packet in chance.sample(packets, len(packets)) for due in order.finished(packet)]
    assert done == packets, f"seed {seed}"
