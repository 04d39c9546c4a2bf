"""The pages come from the agent itself."""

import re

import pytest

from tests.builders.local_api import LocalApi

_LINKS = re.compile(r'(?:src|href)="([^"#]+)"')


@pytest.mark.parametrize("page", ["/display", "/docs"])
def test_everything_a_page_needs_is_served_here(still_api: LocalApi, page: str) -> None:
    """No outside asset, no dead link, no inline script or style."""
    html = still_api.stranger.get(page).text
    links = _LINKS.findall(html)
    assert links
    for link in links:
        assert link.startswith("/"), f"{link} is outside"
        assert still_api.stranger.get(link).status_code == 200, link
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son[a-z]+=", html)


@pytest.mark.parametrize(
    ("file", "media_type"),
    [
        ("/display/display.js", "text/javascript"),
        ("/display/display.css", "text/css"),
        ("/display/icon.svg", "image/svg+xml"),
    ],
)
def test_files_have_their_type_and_are_not_sent_twice(
    still_api: LocalApi, file: str, media_type: str
) -> None:
    """The browser asks again after an update, and gets 304 otherwise."""
    first = still_api.stranger.get(file)
    assert first.headers["content-type"].startswith(media_type)
    assert first.headers["cache-control"] == "no-cache"
    again = still_api.stranger.get(file, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/display/../agent.py", "/display/%2e%2e/agent.py", "/display/none.js"])
def test_no_other_file_is_reached(still_api: LocalApi, path: str) -> None:
    """There is one route per file."""
    assert still_api.stranger.get(path).status_code == 404
