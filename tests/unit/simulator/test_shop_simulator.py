import itertools

import numpy as np
import pytest

from simulator.chains import CHAINS
from simulator.shop_simulator import SOLD_OUT_AT_MOST, Pace, ShopSimulator, Visit

_CHAIN = CHAINS["gelateria-sole"]
_SHOP = _CHAIN.shops[0]
_QUICK = Pace(empty_s=(0.1, 0.2), look_s=(0.3, 0.4), choose_s=(0.5, 0.6), leave_s=(0.7, 0.8))


def _visits(count: int, seed: int = 1, **options: float) -> list[Visit]:
    simulator = ShopSimulator(_CHAIN, _SHOP, seed, pace=_QUICK, **options)
    visits: list[Visit] = []
    for _ in range(count):
        visits.append(simulator.next_visit(visits[-1].leaves_s if visits else 0.0))
    return visits


def _essence(visit: Visit) -> tuple[object, ...]:
    times = visit.arrives_s, visit.orders_s, visit.pays_s, visit.leaves_s
    return visit.customer, visit.situation, visit.in_stock, visit.quantity, visit.luck, visit.seed, times


def test_the_same_seed_gives_the_same_day_and_another_seed_another() -> None:
    first, again, other = ([_essence(v) for v in _visits(30, seed)] for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_two_shops_of_one_seed_see_different_customers() -> None:
    days = []
    for shop in _CHAIN.shops[:2]:
        simulator = ShopSimulator(_CHAIN, shop, 1)
        days.append([simulator.next_visit(0).customer for _ in range(5)])
    assert days[0] != days[1]


def test_a_visit_goes_through_its_stations_at_the_given_pace() -> None:
    for visit in _visits(20):
        assert 0.3 <= visit.orders_s - visit.arrives_s <= 0.4
        assert 0.5 <= visit.pays_s - visit.orders_s <= 0.6
        assert 0.7 <= visit.leaves_s - visit.pays_s <= 0.8


def test_the_customer_is_there_from_arrival_until_leaving() -> None:
    visit = _visits(1)[0]
    assert not visit.is_present(visit.arrives_s - 0.001)
    assert visit.is_present(visit.arrives_s)
    assert visit.is_present(visit.pays_s)
    assert not visit.is_present(visit.leaves_s)


def test_the_truth_is_a_distribution_over_what_is_in_stock() -> None:
    for visit in _visits(200):
        assert visit.truth.sum() == pytest.approx(1.0)
        assert all((visit.truth > 0) == np.array(visit.in_stock))


def test_stock_changes_now_and_then_by_one_flavour_and_never_runs_dry() -> None:
    visits = _visits(400)
    changes = 0
    for before, after in itertools.pairwise(visits):
        moved = sum(a != b for a, b in zip(before.in_stock, after.in_stock, strict=True))
        assert moved == int(after.menu_changed)
        assert after.in_stock.count(False) <= SOLD_OUT_AT_MOST * len(after.in_stock)
        changes += moved
    assert 20 <= changes <= 60
    assert any(visit.in_stock.count(False) >= 2 for visit in visits)
    assert not visits[0].menu_changed


def test_purchases_follow_the_truth() -> None:
    """Mean of log-likelihood ratios: what is bought is as probable as the taste says it should be."""
    visits = _visits(3000)
    bought_probability = np.array([visit.truth[visit.purchase([])] for visit in visits])
    expected = np.array([(visit.truth**2).sum() for visit in visits])
    error = bought_probability - expected
    assert abs(error.mean()) < 4 * error.std() / np.sqrt(len(visits))


def test_without_uplift_a_recommendation_changes_no_purchase() -> None:
    for visit in _visits(300):
        offered = [index for index, held in enumerate(visit.in_stock) if held][-3:]
        assert visit.purchase([]) == visit.purchase(offered)


def test_with_full_uplift_everybody_buys_what_is_offered() -> None:
    for visit in _visits(300, uplift=1.0):
        offered = [index for index, held in enumerate(visit.in_stock) if held][-3:]
        assert visit.purchase(offered) in offered


def test_half_uplift_moves_about_half_of_those_who_would_buy_something_else() -> None:
    visits = _visits(2000, uplift=0.5)
    followers = sum(visit.follows for visit in visits)
    assert 900 < followers < 1100


def test_a_follower_whose_slate_is_sold_out_buys_by_taste() -> None:
    visit = next(v for v in _visits(400, uplift=1.0) if not all(v.in_stock))
    sold_out = [index for index, held in enumerate(visit.in_stock) if not held]
    assert visit.in_stock[visit.purchase(sold_out)]


@pytest.mark.parametrize("uplift", [-0.1, 1.1, float("nan")])
def test_an_uplift_that_is_no_probability_is_refused(uplift: float) -> None:
    with pytest.raises(ValueError, match="uplift is a probability"):
        ShopSimulator(_CHAIN, _SHOP, 1, uplift=uplift)
