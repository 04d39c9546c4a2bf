import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from model_registry.evaluation import BEST_SELLERS, PRECISE, Heard, figures, popularity
from model_registry.orders import Orders

pytest.importorskip("altair")
pytest.importorskip("vl_convert")

from model_registry.adapters.report_page import report_page


@pytest.fixture
def report(make_orders: Callable[..., Orders]) -> dict[str, Any]:
    test, nuisance, style = (make_orders(count, seed, truth=True) for seed, count in enumerate((60, 30, 20)))
    rng = np.random.default_rng(1)
    scores = {
        "test": rng.normal(0, 1, (60, 4)).astype(np.float32),
        "nuisance": rng.normal(0, 1, (30, 4)).astype(np.float32),
        "style": rng.normal(0, 1, (20, 4)).astype(np.float32),
    }
    somebody = int(test.somebody.sum())
    even = np.full((somebody, 4), 0.25)
    others = {BEST_SELLERS: np.tile(popularity([0, 1, 2, 3]), (somebody, 1)), PRECISE: even}
    heard = Heard(test, nuisance, style, ("skin", "mood"), scores, np.zeros(60), others)
    return {
        "tenant": "test-<chain>",
        "model": {"version": "1", "bytes": 1000, "fp32_bytes": 4000},
        "dataset": {"interactions": 1234},
        "evaluation": {"orders": somebody},
        "int8_loss_points": 0.1,
        "latency_us": {
            "student_int8": {"p50": 200.0, "p99": 300.0},
            "student_fp32": {"p50": 800.0, "p99": 900.0},
        },
        "learning_curve": [
            {
                "interactions": 100,
                "teacher_steps": 0,
                "student_steps": 5,
                "hit_at_3": 0.5,
                "share_of_gap": 0.1,
            },
            {
                "interactions": 1234,
                "teacher_steps": 9,
                "student_steps": 9,
                "hit_at_3": 0.6,
                "share_of_gap": 0.8,
            },
        ],
        "not_checked": "Some rows.",
        **figures(heard, 0.5),
    }


def test_page_has_a_plot_and_a_table_for_each_subject(report: dict[str, Any]) -> None:
    """Three plots with their data beside them, and a table for what has no plot."""
    page = report_page(report)
    assert page.count("<svg") == 3
    assert page.count("<table") == 5
    assert "1,234" in page


def test_page_fetches_nothing(report: dict[str, Any]) -> None:
    page = report_page(report)
    assert not re.search(r"<script|<link|<img|src=|@import|url\(http", page)


def test_names_are_escaped(report: dict[str, Any]) -> None:
    assert "<chain>" not in report_page(report)
