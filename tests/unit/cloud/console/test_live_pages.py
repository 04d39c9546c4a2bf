"""Which page somebody follows."""

import pytest

from cloud.console.live_pages import LivePage, find_live

_PAGES = (LivePage("/fleet", lambda *_: {}), LivePage("/fleet/{register}", lambda *_: {}))


def test_a_page_is_found_by_its_route() -> None:
    found = find_live(_PAGES, "/fleet/till-1?a=1&b=%20x")
    assert found is not None
    assert (found[0].route, dict(found[1]), dict(found[2])) == (
        "/fleet/{register}",
        {"register": "till-1"},
        {"a": "1", "b": " x"},
    )
    assert find_live(_PAGES, "/fleet?q=a") is not None


@pytest.mark.parametrize(
    "page", ["", "/", "/fleets", "/fleet/a/b", "//evil.example/fleet", "https://x/fleet"]
)
def test_nothing_else_is(page: str) -> None:
    assert find_live(_PAGES, page) is None
