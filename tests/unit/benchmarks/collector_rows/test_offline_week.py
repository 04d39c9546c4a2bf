from pathlib import Path

import pytest

from benchmarks.collector_rows.offline_week import Week
from edge_agent.uplink.lanes import Lane
from tests.builders.spool_messages import entry
from wire_protocol.topics import Up


@pytest.fixture
def week(tmp_path: Path) -> Week:
    return Week(tmp_path)


def test_a_day_drains_whole_and_in_order(week: Week) -> None:
    """Nothing goes out while the network is away; then everything does, withdrawals first."""
    week.live_offline(1)
    assert week.sent == []
    assert week.spooled[Lane.FRAMES] == 120
    week.reconnect()
    assert (week.lost(), week.out_of_order()) == (0, 0)
    assert len(week.sent) == week.spooled.total()
    assert 0 < week.most_bytes <= week.policy.window_bytes
    week.spool.close()


def test_what_was_not_delivered_counts_as_lost(week: Week) -> None:
    """The figure would tell of a delivery that forgets."""
    week.live_offline(1)
    assert week.lost() == week.spooled.total()
    week.spool.close()


def test_an_order_that_is_wrong_is_seen(week: Week) -> None:
    """A frame before a consent, and an older frame after a younger one."""
    week.sent += [entry(1, Up.FRAME), entry(2, Up.CONSENT), entry(4, Up.FRAME), entry(3, Up.FRAME)]
    assert week.out_of_order() == 2
    week.spool.close()
