import pytest

from cloud.rollout.words import many, part_of


def test_one_is_not_many() -> None:
    assert [many(number, "register") for number in (0, 1, 2)] == ["0 registers", "1 register", "2 registers"]


@pytest.mark.parametrize(
    ("number", "whole", "says"),
    [
        (1, 1, "1 of 1 register is back"),
        (0, 1, "0 of 1 register is back"),
        (1, 12, "1 of 12 registers is back"),
        (0, 12, "0 of 12 registers are back"),
        (1200, 2140, "1,200 of 2,140 registers are back"),
        (0, 0, "0 of 0 registers are back"),
    ],
)
def test_the_verb_fits_the_number(number: int, whole: int, says: str) -> None:
    assert part_of(number, whole, "register", "is back", "are back") == says
