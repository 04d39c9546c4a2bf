"""Figures of the model in use."""

from edge_agent.updates.health import LATENCIES, Health


def test_health_counts_what_the_model_said() -> None:
    """Confidence in ten steps and labels of those who stood there; nobody, errors and crashes apart."""
    health = Health(77, 4)
    health.answered(1.0, 2, 0.55, nobody=False)
    health.answered(2.0, 2, 1.0, nobody=False)
    health.answered(3.0, 1, 0.99, nobody=True)
    health.answered(3.0, -1, 0.0, nobody=False)
    health.failed()
    found = health.figures(crashes=3)
    assert (found.since, found.recommendations, found.errors, found.crashes, found.nobody) == (77, 4, 1, 3, 1)
    assert found.confidence == (0, 0, 0, 0, 0, 1, 0, 0, 0, 1)
    assert found.labels == (0, 0, 2, 0)
    assert (found.p50_ms, found.p99_ms) == (2.5, 3.0)


def test_health_is_bounded() -> None:
    """The newest latencies count; a year of customers takes no more room."""
    health = Health(0, 200)
    for _ in range(3 * LATENCIES):
        health.answered(9.0, 0, 0.5, nobody=False)
    for _ in range(LATENCIES):
        health.answered(1.0, 150, 0.5, nobody=False)
    found = health.figures(0)
    assert found.p99_ms == 1.0
    assert len(found.labels) == 64
    assert found.recommendations == 4 * LATENCIES


def test_nothing_seen_is_nothing_claimed() -> None:
    """Zeroes, not errors."""
    found = Health(0, 3).figures(0)
    assert (found.p50_ms, found.p99_ms, sum(found.confidence)) == (0.0, 0.0, 0)
