import json
from pathlib import Path

import pytest

from benchmarks import cost
from benchmarks.cost import Line, Prices, Shop

_PAGE = Path(__file__).parents[3] / "docs" / "architecture" / "cost.md"


def test_the_page_holds_what_the_program_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """A price or an assumption that changes, changes the page with it."""
    assert cost.main([]) == 0
    assert capsys.readouterr().out.strip() in _PAGE.read_text("utf-8")


def test_a_frame_counts_by_five_kilobytes_begun() -> None:
    """40,001 bytes are nine units and a receipt; only messages of frames differ."""
    shop = Shop(consented=1.0, sampled=1.0, frame_bytes=40_000)
    more = Shop(consented=1.0, sampled=1.0, frame_bytes=40_001)
    first, second = (cost.edge_first(Prices(), one)[0].usd for one in (shop, more))
    assert second - first == pytest.approx(Prices().iot_per_million)


def test_a_bill_is_the_sum_of_its_lines() -> None:
    """And its table says so."""
    lines = [Line("one", "1", 1.25), Line("two", "2", 2.5)]
    assert cost.total(lines) == 3.75
    assert "| **together** | | **3.75** |" in cost.table("both", lines)


def test_json_has_the_same_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """For those who compute on."""
    assert cost.main(["--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {title: sum(line["usd"] for line in lines) for title, lines in found.items()} == {
        title: pytest.approx(cost.total(lines)) for title, lines in cost.bills().items()
    }
