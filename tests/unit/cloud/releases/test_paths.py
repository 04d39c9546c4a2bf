import pytest

from cloud.releases.errors import FileMissing
from cloud.releases.paths import checked, digest_in, is_versioned

_DIGEST = "ab" * 32


def test_a_chains_file_lies_below_its_own_folder() -> None:
    """As the publisher writes it."""
    assert checked("gelato", "metadata/1.root.json") == "tuf/gelato/metadata/1.root.json"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "metadata",
        "metadata/",
        "/metadata/1.root.json",
        "metadata/../../bianca/metadata/1.root.json",
        "metadata/..",
        "targets/./x",
        "targets//x",
        "../bianca/metadata/1.root.json",
        "metadata/1.root.json\n",
        "metadata/1.root.json\0",
        "keys/root.pem",
        "targets/" + "/".join("abcdefg"),
        "targets/" + "a" * 129,
        "metadata/" + "/".join(["a" * 60] * 4),
    ],
)
def test_no_path_climbs(path: str) -> None:
    """T7: the second wall, behind the message's own rule; to whoever asks, it is just not there."""
    with pytest.raises(FileMissing):
        checked("gelato", path)


@pytest.mark.parametrize("tenant", ["", ".", "..", "../bianca", "a/b", "A", "-a"])
def test_a_chain_is_a_name(tenant: str) -> None:
    """T7: the tenant comes from the broker's word, and is looked at all the same."""
    with pytest.raises(ValueError, match="tenant"):
        checked(tenant, "metadata/1.root.json")


def test_which_names_never_change() -> None:
    """Those with a version or a digest; the timestamp does."""
    assert is_versioned("metadata/12.snapshot.json")
    assert not is_versioned("metadata/timestamp.json")
    assert not is_versioned("metadata/0.root.json")
    assert not is_versioned("targets/1.root.json")
    assert digest_in(f"targets/releases/7/{_DIGEST}.model.onnx") == _DIGEST
    assert digest_in(f"targets/{_DIGEST}.service-keys.json") == _DIGEST
    assert digest_in(f"metadata/{_DIGEST}.model.onnx") is None
    assert digest_in("targets/releases/7/model.onnx") is None
