"""Laws of the public API's answers: entity tags, cursors, events, outcomes; junk breaks nothing."""

from __future__ import annotations

import contextlib
import string
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.intake.values import UploadState
from cloud.public_api.accept_language import preferred
from cloud.public_api.adapters.postgres_wakeups import parse
from cloud.public_api.answer_documents import Recommendation, written
from cloud.public_api.answer_events import events_after
from cloud.public_api.answers import ENDS
from cloud.public_api.conditional import etag, has_it
from cloud.public_api.cursors import Cursor
from cloud.public_api.outcomes import Line, same, value
from cloud.public_api.problems import Problem
from tests.builders.cloud_database import NOW_MS
from tests.builders.recommendation_rows import seen

_BODIES = st.binary(max_size=200)
_TIMES = st.integers(0, (1 << 48) - 1)
_IDS = st.binary(min_size=16, max_size=16)
_CURSORS = st.builds(Cursor, _TIMES, _IDS)
_LINES = st.lists(st.builds(Line, st.sampled_from(["lemon", "fig", "basil"]), st.integers(1, 99)), min_size=1)


def recommendation(**values: Any) -> Recommendation:
    found = seen().recommendation
    assert found is not None
    return replace(found, **values)


_RECOMMENDATIONS = st.builds(
    recommendation,
    created_at_ms=st.integers(0, 4_000_000_000_000),
    source=st.sampled_from(["model", "bestsellers"]),
    nobody=st.none() | st.floats(0, 1),
    picture_version=st.none() | st.text(max_size=5),
    outcome=st.none() | _LINES.map(value),
    outcome_at_ms=st.none() | st.integers(0, 4_000_000_000_000),
)


@given(_RECOMMENDATIONS, _RECOMMENDATIONS)
def test_equal_tags_mean_equal_bytes(one: Recommendation, other: Recommendation) -> None:
    """A strong tag: the same document has the same tag, another one has another."""
    first, second = written(one.document()), written(other.document())
    assert etag(first) == etag(written(one.document()))
    assert (etag(first) == etag(second)) == (first == second)


@given(
    _BODIES, st.lists(_BODIES, max_size=4), st.sampled_from(["", "W/"]), st.sampled_from([",", ", ", " ,\t"])
)
def test_a_client_that_has_it_is_believed(
    body: bytes, others: list[bytes], weak: str, separator: str
) -> None:
    """The tag anywhere in the list, weakened by a cache or not, and `*`; without it, never."""
    tag = etag(body)
    tags = [etag(one) for one in others]
    assert has_it(separator.join([*tags, weak + tag]), tag)
    assert has_it(" * ", tag)
    assert has_it(separator.join(tags), tag) == (body in others)
    assert not has_it(None, tag)


@given(st.text(alphabet=string.printable, max_size=80))
def test_junk_names_no_tag(text: str) -> None:
    """What is no list of tags matches nothing, and raises nothing."""
    assert has_it(text, etag(b"")) == (text.strip() == "*")


@given(_CURSORS)
def test_a_cursor_comes_back_as_it_was(cursor: Cursor) -> None:
    """In 32 characters that need no escaping in an address."""
    assert Cursor.parse(str(cursor)) == cursor
    assert len(str(cursor)) == 32
    assert set(str(cursor)) <= set(string.ascii_letters + string.digits + "-_")


@given(st.text(max_size=40) | st.text(alphabet=string.ascii_letters + "-_=", min_size=30, max_size=34))
def test_what_is_no_cursor_is_refused(text: str) -> None:
    """Only what `str` writes is read."""
    found: Cursor | None = None
    with contextlib.suppress(Problem):
        found = Cursor.parse(text)
    assert found is None or str(found) == text


@given(st.lists(_CURSORS, unique=True, max_size=30), st.lists(_CURSORS, max_size=10), st.integers(1, 5))
def test_pages_show_each_entry_once_while_new_ones_come(
    there: list[Cursor], new: list[Cursor], limit: int
) -> None:
    """In the order of cursors, newest first: whatever comes in between, each that was there comes once."""
    rows, coming, shown = set(there), iter(new), list[Cursor]()
    after: Cursor | None = None
    while True:
        page = sorted((one for one in rows if after is None or one < after), reverse=True)[:limit]
        if not page:
            break
        shown += page
        after = Cursor.parse(str(page[-1]))
        rows |= {one for one in (next(coming, None),) if one is not None}
    assert len(shown) == len(set(shown))
    assert set(there) <= set(shown)


@given(st.sampled_from(UploadState), st.data())
def test_a_stream_that_breaks_off_anywhere_misses_and_repeats_nothing(
    state: UploadState, data: st.DataObject
) -> None:
    """Its events up to a break and those after Last-Event-ID are all of them, in order."""
    whole = events_after(seen(state), None, NOW_MS)
    cut = data.draw(st.integers(0, len(whole)))
    last = whole[cut - 1][0] if cut else None
    assert whole[:cut] + events_after(seen(state), last, NOW_MS) == whole
    assert (whole[-1][0] in {str(one) for one in ENDS}) == (state in ENDS)


@given(_LINES, st.randoms())
def test_a_sale_in_another_order_is_the_same(lines: list[Line], random: Any) -> None:
    """And one with a scoop more is not."""
    mixed = lines[:]
    random.shuffle(mixed)
    assert same(value(lines), mixed)
    assert not same(value(lines), [*mixed, Line("fig", 1)])


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_language_header_is_read(header: str, asked: str) -> None:
    """What comes out is one of those that there are, or none."""
    assert preferred(asked, header, {"en", "de"}) in {"en", "de", None}


@given(st.sampled_from([None, *UploadState]), _IDS)
def test_a_notification_says_which_upload(state: UploadState | None, request: bytes) -> None:
    """With its state or without."""
    payload = f"gelateria-sole/{request.hex()}" + (f"/{state}" if state else "")
    assert parse(payload) == (("gelateria-sole", request), state)


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "gelato",
        "gelato/",
        "gelato/00",
        "Gelato/" + "0" * 32,
        "gelato/" + "0" * 32 + "/",
        "gelato/" + "g" * 32,
        "gelato/" + " " * 32,
    ],
)
def test_a_notification_that_says_nothing_is_none(payload: str) -> None:
    """Any role of the database may send one."""
    assert parse(payload) is None


@given(st.text(max_size=80))
def test_any_notification_is_read(payload: str) -> None:
    """Junk raises nothing."""
    found = parse(payload)
    assert found is None or len(found[0][1]) == 16
