"""Nobody is sent to another host."""

import pytest

from cloud.console.local_path import HOME, local_path


@pytest.mark.parametrize("path", ["/fleet", "/fleet?q=a&sort=-p99", "/rollouts/0190/x#groups"])
def test_own_pages_are_kept(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/a\\b",
        "/a\nSet-Cookie: b",
        "javascript:x",
        "/login?goal=/login",
        "/" + "a" * 2000,
        "/é",
    ],
)
def test_anything_else_is_the_first_page(path: str) -> None:
    """T24: no open redirect, no header of an attacker's."""
    assert local_path(path) == HOME
