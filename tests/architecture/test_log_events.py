"""Names of log events are an interface: each stands in docs/operations.md."""

import re
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_CALL = re.compile(r'\b_?log\.(?:debug|info|warning|error|exception|critical)\(\s*f?"([^"]*)"')


def _names() -> set[str]:
    code = "\n".join(path.read_text("utf-8") for path in (_ROOT / "edge_agent").rglob("*.py"))
    return set(_CALL.findall(code))


def test_an_event_is_a_stable_name() -> None:
    """Subject and verb; what differs from case to case is a field."""
    assert len(_names()) > 10
    assert [name for name in _names() if not re.fullmatch(r"[a-z]+\.[a-z_]+", name)] == []


def test_every_event_is_documented() -> None:
    """Who writes an alarm on it finds what it means."""
    document = (_ROOT / "docs" / "operations.md").read_text("utf-8")
    assert [name for name in sorted(_names()) if f"`{name}`" not in document] == []
