import json
from dataclasses import replace

import pytest

from simulator.demo.live_state import (
    KEPT_ERRORS,
    LiveState,
    Phase,
    RegisterInfo,
    history_view,
    register_info_view,
    register_view,
    scores_view,
)
from simulator.pos import Interaction
from simulator.shop_simulator import Visit

_ID = "polar-scoop/pier-nine"
_LIME, _PEANUT = 10, 8


def _serve(live: LiveState, visit: Visit, interaction: Interaction, bought: int) -> None:
    live.arrived(_ID, visit)
    live.recommended(_ID, interaction)
    live.sold(_ID, bought)


def test_a_visit_goes_through_its_phases(live: LiveState, visit: Visit, interaction: Interaction) -> None:
    state = live.registers[_ID]
    phases = [state.phase]
    live.arrived(_ID, visit)
    phases.append(state.phase)
    live.recommended(_ID, interaction)
    phases.append(state.phase)
    live.sold(_ID, _LIME)
    phases.append(state.phase)
    live.left(_ID)
    phases.append(state.phase)
    assert phases == [Phase.EMPTY, Phase.LOOKING, Phase.CHOOSING, Phase.SERVED, Phase.EMPTY]


def test_a_recommendation_owes_an_outcome_until_it_is_sold(
    live: LiveState, visit: Visit, interaction: Interaction
) -> None:
    live.arrived(_ID, visit)
    live.recommended(_ID, interaction)
    assert (live.interactions, live.unacknowledged) == (1, 1)
    live.sold(_ID, _LIME)
    assert (live.interactions, live.unacknowledged) == (1, 0)


def test_only_slates_of_the_model_are_scored(live: LiveState, visit: Visit, interaction: Interaction) -> None:
    _serve(live, visit, replace(interaction, source="bestsellers", arm="bestsellers"), _LIME)
    assert live.scores["polar-scoop"].counted == 0
    _serve(live, visit, replace(interaction, arm="explore"), _LIME)
    assert live.scores["polar-scoop"].counted == 1


def test_hits_are_expected_by_the_truth_and_realised_by_the_sale(
    live: LiveState, visit: Visit, interaction: Interaction
) -> None:
    _serve(live, visit, interaction, _LIME)
    _serve(live, visit, interaction, _PEANUT)
    score = live.scores["polar-scoop"]
    assert score.realised == 0.5
    assert score.means is not None
    assert score.means.model == pytest.approx(visit.truth[[0, 10, 7]].sum())
    assert score.means.bayes == pytest.approx(sum(sorted(visit.truth)[-3:]))


def test_latencies_are_taken_from_what_was_measured(
    live: LiveState, visit: Visit, interaction: Interaction
) -> None:
    _serve(live, visit, interaction, _LIME)
    _serve(live, visit, replace(interaction, inference_ms=None, request_ms=2.5), _LIME)
    latency = scores_view(live, 1.0)["latency_ms"]
    assert latency["inference"] == {"p50": 0.42, "p99": 0.42}
    assert latency["request"] == {"p50": 1.5, "p99": 2.5}


def test_the_page_sees_a_hit_with_its_position(
    live: LiveState, visit: Visit, interaction: Interaction
) -> None:
    _serve(live, visit, interaction, _LIME)
    view = register_view(live.registers[_ID])
    assert view["bought"] == {"name": "Lime Sorbet", "colour": "#b9dd5c", "quantity": 2, "position": 1}
    assert view["recommendation"]["top3"][0] == {"name": "Cookies", "colour": "#cfc6bd", "probability": 0.4}


def test_the_page_sees_a_miss_as_one(live: LiveState, visit: Visit, interaction: Interaction) -> None:
    _serve(live, visit, interaction, _PEANUT)
    assert register_view(live.registers[_ID])["bought"]["position"] is None


def test_a_new_customer_clears_the_last_ones_recommendation(
    live: LiveState, visit: Visit, interaction: Interaction
) -> None:
    _serve(live, visit, interaction, _LIME)
    live.arrived(_ID, visit)
    view = register_view(live.registers[_ID])
    assert (view["recommendation"], view["bought"]) == (None, None)


def test_sold_out_flavours_are_named(live: LiveState, visit: Visit) -> None:
    held = (False, *visit.in_stock[1:])
    live.arrived(_ID, replace(visit, in_stock=held))
    assert register_view(live.registers[_ID])["sold_out"] == ["Cookies & Cream"]


def test_a_closed_register_stays_closed_whatever_still_comes_in(
    live: LiveState, visit: Visit, interaction: Interaction
) -> None:
    """An agent may die right after its last answer, before the till has read it."""
    live.arrived(_ID, visit)
    live.recommended(_ID, interaction)
    live.closed(_ID, "the agent was killed")
    live.sold(_ID, _LIME)
    live.left(_ID)
    state = live.registers[_ID]
    assert (state.phase, state.problem) == (Phase.CLOSED, "the agent was killed")
    assert live.errors == ["the agent was killed"]
    assert live.unacknowledged == 0


def test_errors_are_all_counted_and_the_first_are_kept(live: LiveState) -> None:
    for number in range(KEPT_ERRORS + 10):
        live.failed(_ID, f"problem {number}")
    assert live.error_count == KEPT_ERRORS + 10
    assert len(live.errors) == KEPT_ERRORS
    assert live.errors[0] == f"{_ID}: problem 0"


def test_changes_are_told_once(live: LiveState, visit: Visit) -> None:
    live.arrived(_ID, visit)
    assert live.take_changed() == [_ID]
    assert live.take_changed() == []


def test_all_views_are_json(
    live: LiveState, info: RegisterInfo, visit: Visit, interaction: Interaction
) -> None:
    _serve(live, visit, interaction, _LIME)
    live.mark(1.25)
    views = [
        register_info_view(info),
        register_view(live.registers[_ID]),
        scores_view(live, 1.25),
        history_view(live.scores["polar-scoop"]),
    ]
    assert json.loads(json.dumps(views, allow_nan=False)) == json.loads(json.dumps(views))
    assert register_info_view(info)["display"] == "http://127.0.0.1:9/display"
    assert register_info_view(info)["shop"] == "Pier Nine"
