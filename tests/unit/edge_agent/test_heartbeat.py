from edge_agent.heartbeat import Heartbeat


def test_its_age_grows_and_a_beat_makes_it_young() -> None:
    """Seconds since the loop last came round; a clock that steps back makes it new, not negative."""
    heartbeat = Heartbeat(1_000_000_000)
    assert heartbeat.age_s(3_500_000_000) == 2.5
    heartbeat.beat(3_500_000_000)
    assert heartbeat.age_s(3_500_000_000) == 0
    assert heartbeat.age_s(0) == 0
