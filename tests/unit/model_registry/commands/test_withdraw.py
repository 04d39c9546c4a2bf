import pytest

from tests.unit.model_registry.commands.conftest import CHAIN, MODEL, Model

PLACE = f"--store store --chain {CHAIN} --keys keys"


def test_a_withdrawn_release_is_listed_no_more(model: Model) -> None:
    model(f"publish {MODEL} --release 6 --store store --keys keys --alias champion")
    done = model(f"withdraw 6 --reason 'sells less' {PLACE}")
    assert done["changes"] == ["release 6 is withdrawn: sells less", "champion is no release any more"]
    log = model(f"log --store store --chain {CHAIN}")
    assert log["releases"] == [5]
    assert log["policy"]["withdrawn"] == {"6": "sells less"}


def test_a_withdrawal_is_for_good(model: Model) -> None:
    model(f"withdraw 5 --reason 'sells less' {PLACE}")
    assert "release 5 was withdrawn: sells less" in model(f"withdraw 5 --reason x {PLACE}")
    assert "release 5 exists" in model(f"publish {MODEL} --release 5 --store store --keys keys")


@pytest.mark.parametrize(
    ("words", "said"),
    [("9 --reason no", "release 9 is not listed"), ("5 --reason ' '", "a withdrawal needs a reason")],
    ids=["unknown", "no-reason"],
)
def test_an_impossible_withdrawal_is_told(words: str, said: str, model: Model) -> None:
    assert said in model(f"withdraw {words} {PLACE}")
