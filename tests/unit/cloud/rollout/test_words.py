from cloud.rollout.words import many


def test_one_is_not_many() -> None:
    assert [many(number, "register") for number in (0, 1, 2)] == ["0 registers", "1 register", "2 registers"]
