"""`docs/threats.md` promises only what a test shows."""

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_ROW = re.compile(r"^\| (T\d+) \|.*\| (planned: [^|]+|partly tested: [^|]+|tested) \|$", re.MULTILINE)
_ROWS = _ROW.findall((_ROOT / "docs" / "threats.md").read_text("utf-8"))
_TESTS = "\n".join(
    path.read_text("utf-8") for path in (_ROOT / "tests").rglob("test_*.py") if path != Path(__file__)
)


def test_every_threat_has_a_row_with_a_status() -> None:
    """T1 to T29, each once."""
    assert [name for name, _ in _ROWS] == [f"T{number}" for number in range(1, 30)]


@pytest.mark.parametrize(("threat", "status"), _ROWS)
def test_what_is_called_tested_names_its_test(threat: str, status: str) -> None:
    """A row marked tested, wholly or partly, has a test whose docstring names it."""
    if not status.startswith("planned"):
        assert re.search(rf"\b{threat}\b", _TESTS), f"no test names {threat}"
