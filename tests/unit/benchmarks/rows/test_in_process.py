from pathlib import Path

import pytest

from benchmarks.processes import ProgramError
from benchmarks.rows.in_process import unit_niceness


def test_niceness_comes_from_the_unit(tmp_path: Path) -> None:
    """What is measured is scheduled as the product is installed."""
    (tmp_path / "agent.service").write_text("[Service]\nExecStart=/bin/true\nNice = -11\n", encoding="utf-8")
    assert unit_niceness(tmp_path) == -11


def test_a_unit_without_niceness_is_no_figure(tmp_path: Path) -> None:
    """Nothing is assumed in its place."""
    (tmp_path / "agent.service").write_text("[Service]\n", encoding="utf-8")
    with pytest.raises(ProgramError, match="sets Nice="):
        unit_niceness(tmp_path)
