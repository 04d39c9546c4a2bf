import numpy as np
import pytest

from simulator.demo.scoreboard import KEPT_LATENCIES, KEPT_POINTS, ChainScore, Hits, Latencies, possible_hits

_TRUTH = np.array([0.1, 0.4, 0.0, 0.2, 0.25, 0.05])


def test_expected_hits_are_sums_of_true_probabilities() -> None:
    hits = possible_hits(_TRUTH, slate=[0, 3, 5], best_sellers=range(6))
    assert hits.model == pytest.approx(0.35)
    assert hits.bayes == pytest.approx(0.85)


def test_best_sellers_that_are_sold_out_make_room_for_the_next() -> None:
    assert possible_hits(_TRUTH, [0], best_sellers=[2, 0, 5, 3, 1, 4]).bestsellers == pytest.approx(0.35)


def test_a_slate_shorter_than_three_counts_what_is_there() -> None:
    assert possible_hits(_TRUTH, [1], best_sellers=range(6)).model == pytest.approx(0.4)
    assert possible_hits(_TRUTH, [], best_sellers=range(6)).model == 0


def test_means_run_over_all_counted_interactions() -> None:
    score = ChainScore()
    assert score.means is None
    assert score.realised is None
    score.add(Hits(0.5, 0.4, 0.8), realised=True)
    score.add(Hits(0.7, 0.2, 0.8), realised=False)
    assert score.means == pytest.approx(Hits(0.6, 0.3, 0.8))
    assert score.realised == 0.5


def test_the_history_begins_with_the_first_customer_and_takes_one_point_a_second() -> None:
    score = ChainScore()
    score.mark(0.0)
    score.add(Hits(0.5, 0.4, 0.8), realised=True)
    for tenth in range(50):
        score.mark(1.0 + tenth / 10)
    assert [point.t_s for point in score.history] == pytest.approx([1, 2, 3, 4, 5])


def test_the_history_of_a_long_day_stays_bounded_evenly_spaced_and_up_to_date() -> None:
    score = ChainScore()
    score.add(Hits(0.5, 0.4, 0.8), realised=True)
    for second in range(10 * KEPT_POINTS):
        score.mark(float(second))
    times = [point.t_s for point in score.history]
    assert KEPT_POINTS / 2 <= len(times) <= KEPT_POINTS
    assert len(set(np.diff(times))) == 1
    assert times[-1] >= 10 * KEPT_POINTS - 16


def test_quantiles_are_nearest_ranks() -> None:
    latencies = Latencies()
    assert latencies.quantiles is None
    for value in range(100, 0, -1):
        latencies.add(float(value))
    quantiles = latencies.quantiles
    assert quantiles is not None
    assert (quantiles.p50, quantiles.p99) == (50.0, 99.0)


def test_only_the_newest_latencies_are_kept() -> None:
    latencies = Latencies()
    for value in range(KEPT_LATENCIES + 5):
        latencies.add(0.0 if value >= 5 else 1e9)
    quantiles = latencies.quantiles
    assert quantiles is not None
    assert quantiles.p99 == 0.0
