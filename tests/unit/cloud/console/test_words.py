"""Values as people read them."""

import pytest

from cloud.console import words

NOW_MS = 1_795_000_000_000


@pytest.mark.parametrize(
    ("ms", "said"),
    [(0, "just now"), (59_000, "just now"), (60_000, "1 minute ago"), (7_300_000, "2 hours ago"),
     (3 * 86_400_000, "3 days ago"), (-90_000, "in 1 minute"), (-30_000, "in a moment")],
)  # fmt: skip
def test_times_are_relative(ms: int, said: str) -> None:
    assert words.ago(NOW_MS - ms, NOW_MS) == said


def test_what_is_not_known_is_a_dash() -> None:
    assert {
        words.milliseconds(None),
        words.size(None),
        words.percent(None),
        words.when(None),
        words.short(None),
    } == {words.NOTHING}
    assert words.ago(None, NOW_MS) == "never"


def test_amounts() -> None:
    assert words.milliseconds(0.246) == "0.25 ms"
    assert words.milliseconds(0.0) == words.milliseconds(None), "nothing was answered yet"
    assert words.milliseconds(3.14) == "3.1 ms"
    assert words.milliseconds(1234) == "1,234 ms"
    assert words.size(999) == "999 bytes"
    assert words.size(1_167_582) == "1.2 MB"
    assert words.size(5e12) == "5,000.0 GB"
    assert words.percent(0.625) == "62.5 %"
    assert words.count(1, "register") == "1 register"
    assert words.count(2140, "register") == "2,140 registers"
    assert words.when(NOW_MS) == "18 Nov 2026, 11:06 UTC"
    assert words.iso(NOW_MS) == "2026-11-18T11:06:40Z"
