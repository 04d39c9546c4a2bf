import pytest

from benchmarks.reference import FASTAPI, REFERENCE_CPU, check


def test_networks_of_different_size_are_taken_out() -> None:
    """A server that is as fast as then with a network that is 1 ms slower is no slow baseline."""
    found = check(
        FASTAPI, statistic="p50", measured_ms=FASTAPI.p50_ms + 1, network_p50_ms=1.145, cpu=REFERENCE_CPU
    )
    assert found.measured_ms == pytest.approx(found.reference_ms)
    assert not found.slow


def test_a_slow_server_behind_a_fast_network_is_found() -> None:
    """Half as much again, with the same network, is slow."""
    found = check(
        FASTAPI,
        statistic="p99",
        measured_ms=FASTAPI.p99_ms * 1.5,
        network_p50_ms=FASTAPI.network_p50_ms,
        cpu=REFERENCE_CPU,
    )
    assert found.slow


def test_another_processor_is_said_and_not_judged() -> None:
    """The note names both processors."""
    found = check(FASTAPI, statistic="p50", measured_ms=99.0, network_p50_ms=0.1, cpu="Some Atom")
    assert not found.slow
    assert REFERENCE_CPU in found.note
    assert "Some Atom" in found.note
