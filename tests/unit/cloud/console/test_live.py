"""What a browser is sent, and that it ends with what the server shows."""

from hypothesis import given
from hypothesis import strategies as st

from cloud.console.live import Parts, difference, known, state

_TEXT = st.text("ab<", max_size=3)
_PARTS = st.dictionaries(
    st.sampled_from(["rows", "figures"]),
    st.dictionaries(st.sampled_from("abcdef"), _TEXT, max_size=5).flatmap(
        lambda rows: st.permutations(list(rows.items()))
    ),
)


@given(_PARTS, _PARTS)
def test_the_difference_makes_one_state_the_other(before: Parts, after: Parts) -> None:
    """Fragments are replaced or added, the rest goes, and the order is the server's."""
    shown = {name: dict(rows) for name, rows in before.items()}
    for change in difference(known(before), after):
        rows = shown.setdefault(str(change["list"]), {})
        rows |= change["html"]  # type: ignore[operator]
        if change["keys"] is not None:
            shown[str(change["list"])] = {key: rows[key] for key in change["keys"]}  # type: ignore[attr-defined]
    assert {name: list(shown.get(name, {}).items()) for name in after} == {
        name: list(rows) for name, rows in after.items()
    }


@given(_PARTS)
def test_nothing_new_is_nothing_sent(parts: Parts) -> None:
    assert difference(known(parts), parts) == []
    assert state(known(parts)) == state(known(dict(parts)))


def test_passing_time_is_no_news() -> None:
    """A row that says `5 minutes ago` is not sent again to say `6 minutes ago`: the browser counts itself."""
    row = '<tr><td><time datetime="x" title="y" data-ago>{}</time></td></tr>'
    before: Parts = {"rows": [("a", row.format("5 minutes ago"))]}
    after: Parts = {"rows": [("a", row.format("6 minutes ago"))]}
    assert difference(known(before), after) == []


def test_one_changed_row_is_the_only_one_sent() -> None:
    before: Parts = {"rows": [("a", "1"), ("b", "2")]}
    after: Parts = {"rows": [("a", "1"), ("b", "3")]}
    assert difference(known(before), after) == [{"list": "rows", "keys": None, "html": {"b": "3"}}]
    assert state(known(before)) != state(known(after))
