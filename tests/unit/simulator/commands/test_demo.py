import json

import pytest

from simulator.commands.demo import _conclude
from simulator.demo.composition import DemoResult

_SUMMARY = {
    "interactions": 42,
    "errors": 0,
    "hit_at_3": {"model": 0.7012, "bestsellers": 0.5, "bayes": 0.75},
}


def test_the_last_line_of_a_check_is_its_result(capsys: pytest.CaptureFixture[str]) -> None:
    assert _conclude(DemoResult(_SUMMARY, []), as_json=True) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == _SUMMARY


def test_reasons_are_words_on_standard_error_and_the_status_is_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert _conclude(DemoResult(_SUMMARY, ["the agent of x ended"]), as_json=True) == 1
    told = capsys.readouterr()
    assert "topscoop demo: the agent of x ended" in told.err
    assert json.loads(told.out) == _SUMMARY


def test_without_json_the_result_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert _conclude(DemoResult(_SUMMARY, []), as_json=False) == 0
    assert "model 70.1%, best-sellers 50.0%, best possible 75.0%" in capsys.readouterr().err


def test_a_day_without_customers_has_no_hits_to_tell(capsys: pytest.CaptureFixture[str]) -> None:
    nothing = {**_SUMMARY, "interactions": 0, "hit_at_3": {"model": None, "bestsellers": None, "bayes": None}}
    assert _conclude(DemoResult(nothing, []), as_json=False) == 0
    assert "0 customers" in capsys.readouterr().err
