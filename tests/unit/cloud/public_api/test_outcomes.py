"""What was bought: the same sale is the same however its lines are written."""

import pytest

from cloud.public_api.outcomes import Line, check_flavours, same, value
from cloud.public_api.problems import Problem

SALE = [Line("lemon", 2), Line("pistachio", 1)]


@pytest.mark.parametrize(
    ("lines", "equal"),
    [
        (SALE, True),
        (SALE[::-1], True),
        ([Line("lemon", 1), Line("pistachio", 1), Line("lemon", 1)], True),
        ([Line("lemon", 2)], False),
        ([Line("lemon", 2), Line("pistachio", 2)], False),
        ([Line("lemon", 2), Line("hazelnut", 1)], False),
    ],
)
def test_a_sale_is_as_many_of_each_flavour(lines: list[Line], *, equal: bool) -> None:
    """Order and splitting of lines change nothing; another flavour or number does."""
    assert same(value(SALE), lines) is equal


def test_unknown_flavours_are_named_by_their_place() -> None:
    """The client learns which line was wrong, by JSON pointer."""
    with pytest.raises(Problem) as refused:
        check_flavours([Line("lemon", 1), Line("garlic", 1)], {"lemon"})
    assert refused.value.kind.slug == "invalid"
    assert [one["pointer"] for one in refused.value.members["errors"]] == ["#/lines/1/flavour"]
