"""Names of log events are an interface: each stands in the page on running its package."""

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_PAGES = {"edge_agent": "operations.md", "cloud": "cloud-operations.md"}
_LOGGED = r"(?:\b_?log|getLogger\(__name__\))\.(?:debug|info|warning|error|exception|critical)"
_CALL = re.compile(rf'(?:{_LOGGED}\(\s*f?|\b_?log\.log\(\w+,\s*|watch\.failed\(\s*)"([^"]*)"')


def _names(package: str) -> set[str]:
    code = "\n".join(path.read_text("utf-8") for path in (_ROOT / package).rglob("*.py"))
    return set(_CALL.findall(code))


@pytest.mark.parametrize("package", _PAGES)
def test_an_event_is_a_stable_name(package: str) -> None:
    """Subject and verb; what differs from case to case is a field."""
    assert len(_names(package)) > 10
    assert [name for name in _names(package) if not re.fullmatch(r"[a-z_]+\.[a-z_]+", name)] == []


@pytest.mark.parametrize(("package", "page"), _PAGES.items())
def test_every_event_is_documented(package: str, page: str) -> None:
    """Who writes an alarm on it finds what it means."""
    document = (_ROOT / "docs" / page).read_text("utf-8")
    assert [name for name in sorted(_names(package)) if f"`{name}`" not in document] == []
