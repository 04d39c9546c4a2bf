from edge_agent.uplink.lanes import LANE_OF, Lane
from wire_protocol.topics import RECEIPTED


def test_every_kind_that_gets_a_receipt_has_a_lane() -> None:
    """And no other: a report is only of use when new."""
    assert set(LANE_OF) == RECEIPTED


def test_withdrawals_come_first_and_frames_last() -> None:
    assert list(Lane) == sorted(Lane) == [Lane.WITHDRAWALS, Lane.CONSENTS, Lane.EVENTS, Lane.FRAMES]
