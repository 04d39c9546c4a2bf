"""The fleet's question and rows."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.console.errors import BadQuery
from cloud.console.views.fleet import (
    ATTENTION_WORDS,
    PRESENCE_WORDS,
    TEXT_SORTS,
    Attention,
    FleetQuery,
    Place,
    Presence,
    Sort,
)

_NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)


@st.composite
def _queries(draw: st.DrawFn) -> FleetQuery:
    sort = draw(st.sampled_from(Sort))
    values = _NAMES if sort in TEXT_SORTS else st.integers(-1, 2**53) | st.floats(-1, 1e6)
    place = draw(st.none() | st.builds(Place, values, _NAMES))
    after = draw(st.booleans())
    return FleetQuery(
        search=draw(st.text("abc <>&%_=-", max_size=8)).strip(),
        store=draw(st.just("") | _NAMES),
        presence=draw(st.none() | st.sampled_from(Presence)),
        release=draw(st.none() | st.integers(0, 10**9)),
        attention=draw(st.sampled_from(["", "any", *Attention])),
        sort=sort,
        descending=draw(st.booleans()),
        after=place if after else None,
        before=None if after else place,
    )


@given(_queries())
def test_an_address_says_the_whole_question(query: FleetQuery) -> None:
    """A permalink loses nothing."""
    from urllib.parse import parse_qsl

    assert FleetQuery.parse(dict(parse_qsl(query.href().partition("?")[2]))) == query


@given(
    st.dictionaries(
        st.sampled_from(["q", "store", "state", "release", "attention", "sort", "after"]), st.text()
    )
)
def test_any_other_address_is_refused_in_words(values: dict[str, str]) -> None:
    with contextlib.suppress(BadQuery):
        assert FleetQuery.parse(values).href().startswith("/fleet")


def test_a_column_is_turned_round_by_a_second_click() -> None:
    once = FleetQuery().sorted_by(Sort.P99)
    assert (once.sort, once.descending) == (Sort.P99, True), "the slowest first"
    assert not once.sorted_by(Sort.P99).descending
    assert not once.sorted_by(Sort.STORE).descending


def test_a_page_of_another_order_is_no_place() -> None:
    place = Place("store-1", "till-1").text()
    assert Place.parse(place, Sort.STORE).value == "store-1"
    with pytest.raises(BadQuery):
        Place.parse(place, Sort.P99)
    for value in ('[NaN,"a"]', '[1e400,"a"]', '[true,"a"]', '[1,"A B"]', "[1]", '{"a":1}'):
        import base64

        with pytest.raises(BadQuery):
            Place.parse(base64.urlsafe_b64encode(value.encode()).decode().rstrip("="), Sort.P99)


def test_everything_has_words() -> None:
    assert set(PRESENCE_WORDS) == set(Presence)
    assert set(ATTENTION_WORDS) == set(Attention)
