"""What was read a moment ago."""

from cloud.console.recent import Recent


def test_a_value_is_read_once_in_its_life() -> None:
    """And again when it is over, when the clock went back, or when somebody wants it fresh."""
    recent = Recent()
    reads: list[int] = []

    def read() -> int:
        reads.append(len(reads))
        return reads[-1]

    def ask(now_ms: int, *, fresh: bool = False) -> int:
        return recent.get("key", now_ms, lambda _: 100, read, fresh=fresh)

    assert [ask(1000), ask(1099), ask(1100), ask(500), ask(501, fresh=True)] == [0, 0, 1, 2, 3]


def test_chains_do_not_share() -> None:
    """The key names the chain."""
    recent = Recent()
    assert recent.get(("a", 1), 0, lambda _: 100, lambda: "mine") == "mine"
    assert recent.get(("b", 1), 0, lambda _: 100, lambda: "theirs") == "theirs"


def test_a_life_may_depend_on_the_value() -> None:
    """A small page is looked at each time."""
    recent = Recent()
    values = iter([[], [], [0] * 50, [1]])
    seen = [recent.get("k", now, len, lambda: next(values)) for now in (0, 0, 0, 49, 50)]
    assert [len(one) for one in seen] == [0, 0, 50, 50, 1]


def test_few_are_kept() -> None:
    """The oldest leave."""
    recent = Recent(entries_max=2)
    reads: list[str] = []
    for key in ("a", "b", "c", "a"):
        recent.get(key, 0, lambda _: 100, lambda key=key: reads.append(key))  # type: ignore[misc]
    assert reads == ["a", "b", "c", "a"]
