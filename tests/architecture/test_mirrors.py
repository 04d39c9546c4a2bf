"""Tests mirror the tree: each unit test file stands where the file that it tests stands."""

from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_UNIT = _ROOT / "tests" / "unit"


@pytest.mark.parametrize(
    "test", sorted(_UNIT.rglob("test_*.py")), ids=lambda p: p.relative_to(_UNIT).as_posix()
)
def test_each_unit_test_has_its_module(test: Path) -> None:
    """`tests/unit/<folder>/test_<module>.py` tests `<folder>/<module>`, a file or a package."""
    place = _ROOT / test.relative_to(_UNIT).parent / test.stem.removeprefix("test_")
    assert place.with_suffix(".py").exists() or place.is_dir(), f"nothing at {place.relative_to(_ROOT)}"
