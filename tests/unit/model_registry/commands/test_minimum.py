from tests.unit.model_registry.commands.conftest import CHAIN, MODEL, Model

PLACE = f"--store store --chain {CHAIN} --keys keys"


def test_the_minimum_only_grows(model: Model) -> None:
    model(f"publish {MODEL} --release 6 --store store --keys keys")
    model(f"alias champion 5 {PLACE}")
    assert model(f"minimum 6 {PLACE}")["changes"] == [
        "no register goes below release 6 any more",
        "champion is no release any more",
    ]
    assert "never sinks" in model(f"minimum 5 {PLACE}")
    assert "below the minimum" in model(f"alias champion 5 {PLACE}")


def test_the_minimum_is_a_listed_release(model: Model) -> None:
    assert "release 9 is not listed" in model(f"minimum 9 {PLACE}")
