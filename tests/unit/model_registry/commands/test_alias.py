import pytest

from tests.unit.model_registry.commands.conftest import CHAIN, Model

PLACE = f"--store store --chain {CHAIN} --keys keys"


def test_an_alias_moves(model: Model) -> None:
    assert model(f"alias candidate 5 {PLACE}")["changes"] == ["candidate is release 5"]
    assert model(f"alias candidate none {PLACE}")["changes"] == ["candidate is no release any more"]


@pytest.mark.parametrize(("release", "said"), [("7", "is not listed"), ("best", "is no release")])
def test_an_alias_of_nothing_is_told(release: str, said: str, model: Model) -> None:
    assert said in model(f"alias champion {release} {PLACE}")
