import pytest

from tests.unit.model_registry.commands.conftest import CHAIN, Model

CHANGE = f"root change --store store --chain {CHAIN}"


def test_a_renewed_root_is_published(model: Model) -> None:
    assert model(f"{CHANGE} --keys keys")["published"]["root"] == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--remove timestamp=keys/timestamp.pub", "1 signatures of 0 keys cannot be"),
        ("--remove root=keys/timestamp.pub", "is no key of the root"),
        ("--remove root=ab", "is no key of the root"),
        ("--add console=keys/root-1.pub", "is no ROLE=KEY"),
        ("--add root", "is no ROLE=KEY"),
        ("--add root=keys/none.pub", "cannot read the public key"),
        ("--model-signing-key keys/root-1.pub", "is no key for OMS signatures"),
        ("--from-targets 99", "the repository has no metadata/99.targets.json"),
        ("--withdraw 9 --reason no", "release 9 is not listed"),
        ("--withdraw 5", "a withdrawal needs a reason"),
    ],
    ids=lambda value: value.split("=")[0] if value.startswith("--") else "",
)
def test_an_impossible_change_is_told(words: str, said: str, model: Model) -> None:
    answer = model(f"{CHANGE} {words} --out draft")
    assert said in answer
    assert "error" in answer


def test_a_chain_has_one_repository(model: Model) -> None:
    keys = " ".join(f"--{role}-key keys/{role}.pub" for role in ("targets", "snapshot", "timestamp"))
    roots = " ".join(f"--root-key keys/root-{number}.pub" for number in (1, 2, 3))
    make = f"root make --chain {CHAIN} {roots} {keys}"
    assert "has a repository there" in model(f"{make} --store store --out draft")
    assert "4 signatures of 3 keys" in model(f"{make} --store other --out draft --threshold 4")
    assert model(f"{make} --store other --out draft")["missing"] == {"root": 2, "targets": 1}
