import numpy as np
import pytest

from model_registry import metrics

TRUTH = np.array([[0.5, 0.3, 0.1, 0.1], [0.1, 0.1, 0.2, 0.6]])


def test_expected_hit_is_the_sum_of_true_probabilities() -> None:
    slates = np.array([[0, 1, 2], [3, 2, 0]])
    assert metrics.expected_hit(TRUTH, slates) == pytest.approx((0.9 + 0.9) / 2)


def test_realised_hit_counts_purchases_on_the_slate() -> None:
    slates = np.array([[0, 1, 2], [3, 2, 0]])
    assert metrics.realised_hit(np.array([3, 3]), slates) == 0.5


def test_ties_go_to_the_first_of_the_catalogue() -> None:
    assert metrics.top(np.full((1, 5), 0.2), 3).tolist() == [[0, 1, 2]]


def test_nobody_beats_the_truth() -> None:
    """The true probabilities have the best expected hit, and the smallest expected log-loss."""
    rng = np.random.default_rng(1)
    truth = rng.dirichlet(np.ones(6), 4000)
    purchase = np.array([rng.choice(6, p=row) for row in truth])
    best = metrics.recommender_figures(truth, truth, purchase)
    other = metrics.recommender_figures(rng.dirichlet(np.ones(6), 4000), truth, purchase)
    assert best["hit_at_3"] > other["hit_at_3"]
    assert best["log_loss"] < other["log_loss"]
    assert best["calibration_error"] < 0.02 < other["calibration_error"]


def test_reliability_bins_hold_every_shown_flavour_once() -> None:
    rng = np.random.default_rng(2)
    chances = rng.dirichlet(np.ones(5), 77)
    curve = metrics.reliability(chances, rng.integers(0, 5, 77))
    assert sum(curve.count) == 3 * 77
    assert list(curve.promised) == sorted(curve.promised)


def test_overconfidence_is_an_error() -> None:
    """Promising 0.9 for what comes true half of the time is wrong by 0.4 where it is shown."""
    chances = np.tile([0.9, 0.05, 0.05, 0.0], (100, 1))
    purchase = np.array([0, 3] * 50)
    curve = metrics.reliability(chances, purchase)
    assert curve.promised[-1] == pytest.approx(0.9)
    assert curve.happened[-1] == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(("model", "share"), [(0.5, 0.0), (0.7, 1.0), (0.65, 0.75)])
def test_share_of_gap(model: float, share: float) -> None:
    assert metrics.share_of_gap(model, blind=0.5, best=0.7) == pytest.approx(share)


def test_nobody_figures_count_both_mistakes() -> None:
    nobody = np.array([0.9, 0.2, 0.7, 0.1])
    somebody = np.array([False, False, True, True])
    assert metrics.nobody_figures(nobody, somebody, 0.5) == {"recall": 0.5, "false_alarms": 0.5}


def test_fairness_compares_sets_with_the_first_of_each_group() -> None:
    """Another order of the same three is no change; another flavour is."""
    rows = np.array(
        [
            [0.4, 0.3, 0.2, 0.1],
            [0.3, 0.4, 0.2, 0.1],
            [0.4, 0.3, 0.1, 0.2],
        ]
    )
    found = metrics.fairness_figures(rows, ("skin", "mood"))
    assert found == {"all": 0.5, "skin": 1.0, "mood": 0.0}


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_temperature_is_found_again(temperature: float) -> None:
    """Scores that were multiplied by T are best divided by T."""
    rng = np.random.default_rng(3)
    scores = rng.normal(0, 1.5, (6000, 5))
    chances = metrics.softmax(scores)
    purchase = np.array([rng.choice(5, p=row) for row in chances])
    assert metrics.fit_temperature(scores * temperature, purchase) == pytest.approx(temperature, rel=0.08)


def test_softmax_survives_large_scores() -> None:
    assert metrics.softmax(np.array([[1000.0, 0.0]])).tolist() == [[1.0, 0.0]]


def test_rounding_reaches_into_lists_and_objects() -> None:
    assert metrics.rounded({"a": [1 / 3, 2], "b": "x"}, 2) == {"a": [0.33, 2], "b": "x"}
