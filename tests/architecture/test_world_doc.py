"""docs/world.md says what the code does."""

from pathlib import Path

import pytest

from simulator.attributes import NUISANCE_SHARES, VISIBLE_SHARES
from simulator.chains import CHAINS
from simulator.taste import ATTRIBUTE_STRENGTH, INTERACTIONS

_WORLD = (Path(__file__).parents[2] / "docs" / "world.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*VISIBLE_SHARES, *NUISANCE_SHARES])
def test_every_attribute_stands_there_with_its_shares(name: str) -> None:
    shares = {**VISIBLE_SHARES, **NUISANCE_SHARES}[name]
    row = ", ".join(f"{level} {share:.2f}" for level, share in shares.items())
    assert f"| `{name}` | {row} |" in _WORLD


def test_strengths_and_interactions_stand_there() -> None:
    assert "| strength | " + " | ".join(str(value) for value in ATTRIBUTE_STRENGTH.values()) + " |" in _WORLD
    for name, attribute, level, _ in INTERACTIONS:
        assert f"| {name} | `{attribute}` = {level}," in _WORLD


@pytest.mark.parametrize("tenant", CHAINS)
def test_every_flavour_stands_there(tenant: str) -> None:
    for flavour in CHAINS[tenant].flavours:
        assert f"{flavour.id} " in _WORLD
