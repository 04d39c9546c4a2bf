"""`topscoop edge update-client` on repositories of every kind, over HTTP and over MQTT messages."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from securesystemslib.signer import CryptoSigner, SigstoreKey
from tuf.api.metadata import Metadata
from tuf.ngclient._internal import trusted_metadata_set

from edge_agent.commands import update_client
from tests.builders.file_http_server import FileHttpServer
from tests.builders.mosquitto import Mosquitto
from tests.builders.tuf_repository import TufRepository, signer
from topscoop.cli import main
from wire_protocol.errors import TopscoopError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIRST = [
    "metadata/2.root.json",
    "metadata/timestamp.json",
    "metadata/1.snapshot.json",
    "metadata/1.targets.json",
]


class Client:
    """Runs the command as the public suite does: options first, one folder for metadata, one for targets."""

    def __init__(self, folder: Path, more: list[str]) -> None:
        self.metadata, self.targets = folder / "metadata", folder / "targets"
        self._root = folder / "initial.json"
        self._more = more
        self._parser = argparse.ArgumentParser()
        update_client.add_parser(self._parser.add_subparsers())
        self.repository = TufRepository()
        self.url = ""

    def run(self, *words: str) -> int:
        """The exit status."""
        args = self._parser.parse_args(["update-client", *words])
        try:
            return int(args.run(args))
        except TopscoopError:
            return 1

    def content(self, path: str) -> bytes | None:
        """What is served: of the repository as it is by then."""
        return self.repository.content(path)

    def init(self, root: bytes | None = None) -> int:
        self._root.write_bytes(root or self.repository.published["root"][1])
        return self.run("--metadata-dir", str(self.metadata), "init", str(self._root))

    def refresh(self) -> int:
        return self.run(*self._where(), "refresh")

    def download(self, *names: str) -> int:
        targets = ["--target-dir", str(self.targets), "--target-base-url", f"{self.url}targets/"]
        chosen = [word for name in names for word in ("--target-name", name)]
        return self.run(*self._where(), *chosen, *targets, "download")

    def _where(self) -> list[str]:
        return ["--metadata-url", f"{self.url}metadata/", "--metadata-dir", str(self.metadata), *self._more]

    def version(self, role: str) -> int | None:
        """Of the metadata that it trusts."""
        file = self.metadata / f"{role}.json"
        return Metadata.from_file(str(file)).signed.version if file.exists() else None

    def trusted(self) -> dict[str, int]:
        """Every role that it trusts; nothing else ends in .json."""
        return {
            file.name.removesuffix(".json"): Metadata.from_file(str(file)).signed.version
            for file in sorted(self.metadata.glob("*.json"))
        }

    def got(self) -> list[bytes]:
        """The contents of the targets that it has."""
        files = [file for file in self.targets.rglob("*") if file.is_file()]
        return sorted(file.read_bytes() for file in files)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


BOTH = pytest.mark.parametrize(
    "client", ["http", pytest.param("mqtt", marks=pytest.mark.service)], indirect=True
)
"""Over MQTT as well; `make soak` runs all the others so too."""


@pytest.fixture(params=["http", pytest.param("mqtt", marks=[pytest.mark.service, pytest.mark.soak])])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Client]:
    more = []
    if request.param == "mqtt":
        broker = request.getfixturevalue("broker")
        more = ["--transport", "mqtt", "--broker", f"{broker.host}:{broker.port}"]
    made = Client(tmp_path, more)
    with FileHttpServer(made.content) as server:
        made.url = server.url
        yield made


# ---- the workflow -----------------------------------------------------------------------------------------


@BOTH
def test_init_and_refresh(client: Client) -> None:
    """Nothing is asked for by init; then each role once, in the order of the specification."""
    assert client.init() == 0
    assert client.repository.asked == []
    assert client.refresh() == 0
    assert client.repository.asked == FIRST
    assert client.trusted() == dict.fromkeys(("root", "snapshot", "targets", "timestamp"), 1)
    client.repository.asked.clear()
    assert client.refresh() == 0
    assert client.repository.asked == FIRST[:2]


def test_a_second_init_keeps_the_history(client: Client) -> None:
    """Trust begins anew at the root that is given; the newest is found again."""
    client.init()
    client.repository.publish("root")
    assert client.refresh() == 0
    assert client.version("root") == 2
    assert client.init() == 0
    assert client.version("root") == 1
    assert client.refresh() == 0
    assert client.version("root") == 2


@pytest.mark.parametrize("damage", ["no version", "other signature", "noise", "other role"])
def test_a_root_that_is_none(client: Client, damage: str) -> None:
    """Nothing is ever asked for in its name."""
    value = json.loads(client.repository.published["root"][1])
    match damage:
        case "no version":
            del value["signed"]["version"]
        case "other signature":
            value["signatures"][0]["sig"] = "00" * 64
        case "other role":
            value = json.loads(client.repository.published["timestamp"][1])
    assert client.init(b"noise" if damage == "noise" else json.dumps(value).encode()) == 1
    assert client.refresh() == 1
    assert client.repository.asked == []


@BOTH
def test_custom_fields_are_part_of_what_is_signed(client: Client) -> None:
    """Unknown fields anywhere in root are kept and verified."""
    client.init()
    root = client.repository.signed("root")
    root.unrecognized_fields["more"] = {"a": [1, "b"]}
    root.roles["root"].unrecognized_fields["more"] = True
    next(iter(root.keys.values())).unrecognized_fields["more"] = "key"
    client.repository.publish("root")
    assert client.refresh() == 0
    assert client.version("root") == 2


def test_options_may_follow_the_command(client: Client) -> None:
    """As on many command lines; names before and after it count together."""
    client.init()
    client.repository.target("targets", "a", b"1")
    client.repository.target("targets", "b", b"2")
    client.repository.publish_all()
    where = client._where()
    targets = ["--target-dir", str(client.targets), "--target-base-url", f"{client.url}targets"]
    assert client.run("--target-name", "a", "download", *where, *targets, "--target-name", "b", "--json") == 0
    assert client.got() == [b"1", b"2"]


@pytest.mark.parametrize("action", ["refresh", "download"])
def test_missing_options_are_named(client: Client, action: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 1, and which."""
    assert client.run(action) == 1
    assert "--metadata-dir" in capsys.readouterr().err


def test_the_exit_status_of_the_process_is_one(client: Client, tmp_path: Path) -> None:
    """`topscoop` makes 1 of a refusal, as the suite wants, and not 2."""
    words = ["edge", "update-client", *client._where(), "refresh"]
    assert main(words) == 1
    client.init()
    assert main(words) == 0


# ---- keys -------------------------------------------------------------------------------------------------

ROOTS: dict[str, tuple[list[tuple[list[int], int, list[int]]], bool]] = {
    "one key for another": ([([1], 1, [1]), ([2], 1, [1, 2]), ([2], 1, [2])], True),
    "strangers sign as well": ([([1], 1, [3, 1]), ([2], 1, [3, 2, 1, 4])], True),
    "three of five, one replaced": ([([0, 1, 2, 3, 4], 3, [0, 2, 4]), ([0, 1, 3, 4, 5], 3, [0, 4, 1])], True),
    "three of five, all replaced": (
        [([0, 1, 2, 3, 4], 3, [0, 2, 4]), ([5, 6, 7, 8, 9], 3, [0, 2, 4, 5, 6, 7])],
        True,
    ),
    "more are needed": ([([1, 2, 3], 1, [1]), ([1, 2, 3], 2, [1, 2])], True),
    "fewer are needed": ([([1, 2, 3], 2, [1, 2]), ([1, 2, 3], 1, [1, 2]), ([1, 2, 3], 1, [1])], True),
    "not signed by the old": ([([1], 1, [1]), ([2], 1, [2, 3])], False),
    "not signed by the new": ([([1], 1, [1]), ([2], 1, [1, 3])], False),
    "too few of the new": ([([0, 1, 2, 3, 4], 3, [0, 2, 4]), ([0, 1, 3, 4, 5], 3, [0, 2, 4])], False),
    "too few of the old": ([([0, 1, 2, 3, 4], 3, [0, 2, 4]), ([0, 1, 3, 4, 5], 3, [0, 4, 5])], False),
    "the new threshold is missed": ([([1, 2, 3], 1, [1]), ([1, 2, 3], 2, [2])], False),
    "the old threshold is missed": ([([1, 2, 3], 2, [1, 2]), ([1, 2, 3], 1, [1])], False),
}


@pytest.mark.parametrize(("roots", "good"), ROOTS.values(), ids=ROOTS)
def test_root_rotation(client: Client, roots: list[tuple[list[int], int, list[int]]], good: object) -> None:
    """A root is signed by the threshold of itself and of the one before, or the walk ends before it."""
    repository = client.repository
    repository.published["root"].clear()
    repository.signed("root").version = 0
    for keys, threshold, signing in roots:
        repository.set_keys("root", keys, threshold, signing)
        repository.publish("root")
    assert client.init() == 0
    assert (client.refresh() == 0) is good
    last = len(roots) if good else len(roots) - 1
    assert (client.metadata / "root.json").read_bytes() == repository.published["root"][last]


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
@pytest.mark.parametrize(
    ("signed", "good"),
    [
        (([2], 1, [2]), True),
        (([1], 1, [3, 1, 4]), True),
        (([0, 1, 2, 3, 4], 3, [2, 3, 4]), True),
        (([2], 1, [1, 3]), False),
        (([0, 1, 3, 4, 5], 3, [0, 2, 4]), False),
        (([0, 1, 3, 4, 5], 3, [0, 4]), False),
    ],
    ids=["new key", "strangers too", "three of five", "old key", "one is a stranger", "one is missing"],
)
def test_rotation(client: Client, role: str, signed: tuple[list[int], int, list[int]], good: object) -> None:
    """Other roles are signed by the threshold of the keys that root has for them."""
    keys, threshold, signing = signed
    client.init()
    client.repository.set_keys(role, keys, threshold, signing)
    client.repository.publish_all()
    client.repository.publish("root")
    assert (client.refresh() == 0) is good
    assert client.version(role) == (2 if good else None)


@pytest.mark.parametrize("kind", ["ecdsa", "rsa", "rsa-pkcs1v15-sha256", "ed25519"])
def test_key_types(client: Client, kind: str) -> None:
    """Those that the specification has."""
    client.repository = TufRepository(kind=kind)
    assert client.init() == 0
    assert client.refresh() == 0


def test_a_root_with_keys_of_an_unknown_type_is_refused(client: Client) -> None:
    """Fail closed: what cannot be read as a whole is not believed in parts; the root before stays."""
    client.init()
    key = SigstoreKey(
        "ab" * 32, "sigstore-oidc", "Fulcio", {"identity": "ada", "issuer": "https://x.example"}
    )
    client.repository.signed("root").add_key(key, "snapshot")
    client.repository.publish("root")
    assert client.refresh() == 1
    assert client.trusted() == {"root": 1}


def test_one_signature_twice_counts_once(client: Client) -> None:
    """A threshold is a number of keys, not of signatures."""
    client.init()
    client.repository.set_keys("snapshot", [30, 31], 2, [30])
    client.repository.publish("root")
    client.repository.publish("snapshot", "timestamp")
    snapshot = json.loads(client.repository.published["snapshot"][2])
    snapshot["signatures"] *= 2
    client.repository.published["snapshot"][2] = json.dumps(snapshot).encode()
    assert client.refresh() == 1
    assert client.version("snapshot") is None


# ---- rollback, freeze, recovery ---------------------------------------------------------------------------


@pytest.mark.parametrize("hashes", [False, True], ids=["plain", "with hashes"])
@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_rollback(client: Client, role: str, hashes: bool) -> None:  # noqa: FBT001
    """T8: no role goes back, with and without hashes in what lists it."""
    client.repository = TufRepository(hashes=hashes)
    client.init()
    client.repository.publish_all()
    assert client.refresh() == 0
    client.repository.signed(role).version = 1
    lists = ["timestamp", "snapshot", "targets"]
    client.repository.publish(role, bump=False)
    client.repository.publish(*reversed(lists[: lists.index(role)]))
    assert client.refresh() == 1
    assert client.version(role) == 2


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_fast_forward_recovery(client: Client, role: str) -> None:
    """T8: new keys let a role start again, by the rules of the specification."""
    client.init()
    client.repository.signed(role).version = 9999
    client.repository.publish_all()
    assert client.refresh() == 0
    for number, one in enumerate(("snapshot", "timestamp")):
        client.repository.set_keys(one, [20 + number], 1, [20 + number])
    client.repository.signed(role).version = 1
    client.repository.publish("root")
    client.repository.publish_all()
    assert client.refresh() == 0
    assert client.version(role) == 2


@BOTH
@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "targets"])
def test_expired(client: Client, role: str) -> None:
    """T8: what expired is not taken; an expired root is kept, and nothing below it."""
    client.init()
    assert client.refresh() == 0
    client.repository.signed(role).expires = datetime.now(UTC) - timedelta(days=1)
    if role == "root":
        client.repository.publish("root")
    client.repository.publish_all()
    assert client.refresh() == 1
    assert client.version(role) == (2 if role == "root" else 1)


def test_an_expired_timestamp_here_still_protects(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """T8: local metadata that expired meanwhile is replaced by newer, and never by older."""
    client.init()
    client.repository.signed("timestamp").expires = datetime.now(UTC) + timedelta(days=7)
    client.repository.publish("timestamp")
    assert client.refresh() == 0
    later = datetime.now(UTC) + timedelta(days=18)

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return later

    monkeypatch.setattr(trusted_metadata_set.datetime, "datetime", Later)
    client.repository.signed("timestamp").expires = client.repository.expiry
    client.repository.signed("timestamp").version = 1
    client.repository.publish("timestamp", bump=False)
    assert client.refresh() == 1
    client.repository.signed("timestamp").version = 2
    client.repository.publish_all()
    assert client.refresh() == 0
    assert client.version("timestamp") == 3


def test_a_timestamp_of_the_same_version_changes_nothing(client: Client) -> None:
    """Content without a new version is not looked at."""
    client.init()
    assert client.refresh() == 0
    kept = (client.metadata / "timestamp.json").read_bytes()
    client.repository.signed("timestamp").snapshot_meta.version = 100
    client.repository.publish("timestamp", bump=False)
    assert client.refresh() == 0
    assert (client.metadata / "timestamp.json").read_bytes() == kept


@BOTH
def test_mix_and_match(client: Client) -> None:
    """T8: a file that is not the one listed, by version or by hash."""
    client.repository = TufRepository(hashes=True)
    client.init()
    client.repository.publish_all()
    client.repository.published["targets"][2] += b" "
    assert client.refresh() == 1
    client.repository.published["targets"][2] = client.repository.published["targets"][1]
    assert client.refresh() == 1
    assert client.version("targets") is None


# ---- delegations ------------------------------------------------------------------------------------------

GRAPHS: dict[str, tuple[list[tuple[str, str, str, object]], list[str]]] = {
    "one": ([("targets", "A", "*", False)], ["A"]),
    "two": ([("targets", "A", "*", False), ("targets", "B", "*", False)], ["A", "B"]),
    "depth first": (
        [
            ("targets", "A", "*", False),
            ("targets", "B", "*", False),
            ("A", "C", "*", False),
            ("A", "D", "*", False),
        ],
        ["A", "C", "D", "B"],
    ),
    "terminating": (
        [
            ("targets", "A", "*", False),
            ("targets", "B", "*", False),
            ("A", "C", "*", True),
            ("A", "D", "*", False),
        ],
        ["A", "C"],
    ),
    "other paths": ([("targets", "A", "*.py", False), ("targets", "B", "*", False)], ["B"]),
    "a circle": (
        [("targets", "A", "*", False), ("A", "B", "*", False), ("B", "A", "*", False)],
        ["A", "B"],
    ),
    "two ways": (
        [
            ("targets", "A", "*", False),
            ("targets", "B", "*", False),
            ("B", "C", "*", False),
            ("A", "C", "*", False),
        ],
        ["A", "C", "B"],
    ),
}


@pytest.mark.parametrize(("delegations", "visited"), GRAPHS.values(), ids=GRAPHS)
def test_the_order_of_delegations(
    client: Client, delegations: list[tuple[str, str, str, object]], visited: list[str]
) -> None:
    """Pre-order, depth first, each role once, until one terminates."""
    client.init()
    for parent, role, paths, terminating in delegations:
        client.repository.delegate(parent, role, [paths], terminating=bool(terminating))
    client.repository.publish_all()
    assert client.download("missing") == 1
    assert client.repository.asked[4:] == [f"metadata/1.{role}.json" for role in visited]


@pytest.mark.parametrize(
    ("name", "found", "visited"),
    [
        ("README.md", True, ["A"]),
        ("releases/x/v1", True, ["B", "C"]),
        ("releases/z/v1.zip", False, ["B"]),
        ("top", True, []),
    ],
)
def test_the_path_decides(client: Client, name: str, found: object, visited: list[str]) -> None:
    """A delegation counts for the paths that it names, at each level."""
    client.init()
    client.repository.delegate("targets", "A", ["*.md"])
    client.repository.delegate("targets", "B", ["releases/*/*"])
    client.repository.delegate("B", "C", ["releases/x/*"])
    for role, path in (
        ("targets", "top"),
        ("A", "README.md"),
        ("C", "releases/x/v1"),
        ("C", "releases/z/v1.zip"),
    ):
        client.repository.target(role, path, path.encode())
    client.repository.publish_all()
    assert (client.download(name) == 0) is found
    assert client.got() == ([name.encode()] if found else [])
    assert client.repository.asked[4:][: len(visited)] == [f"metadata/1.{role}.json" for role in visited]


@BOTH
@pytest.mark.parametrize("bits", [1, 4])
def test_hash_bins(client: Client, bits: int) -> None:
    """Succinct delegations: exactly the bin of the path's hash is fetched."""
    client.init()
    bins = client.repository.bins(bits, "bin")
    chosen = client.repository.signed("targets").delegations.succinct_roles.get_role_for_target("file")
    client.repository.target(chosen, "file", b"content")
    client.repository.publish_all()
    assert len(bins) == 1 << bits
    assert client.download("file") == 0
    assert client.got() == [b"content"]
    assert [path for path in client.repository.asked if "bin" in path] == [f"metadata/1.{chosen}.json"]


@BOTH
@pytest.mark.parametrize(
    ("role", "quoted"),
    [
        ("?", "%3F"),
        ("#", "%23"),
        ("/role", "%2Frole"),
        ("../role", "..%2Frole"),
        ("a b", "a%20b"),
        ("ä", "%C3%A4"),
    ],
    ids=["question mark", "hash", "slash", "climbing", "space", "umlaut"],
)
def test_odd_names_of_roles(client: Client, role: str, quoted: str) -> None:
    """They stay one part of an address and of a file name, and nothing climbs out of the folder."""
    client.init()
    client.repository.delegate("targets", role)
    client.repository.publish_all()
    assert client.download("missing") == 1
    assert f"metadata/1.{quoted}.json" in client.repository.asked
    assert len(client.trusted()) == 5
    assert sorted(one.name for one in client.metadata.parent.iterdir()) == [
        "initial.json",
        "metadata",
        "targets",
    ]


def test_a_cached_role_is_verified_against_who_delegates_to_it_now(client: Client) -> None:
    """What one delegator vouched for is nothing to another that names other keys."""
    client.init()
    client.repository.delegate("targets", "A", ["a/*"])
    client.repository.delegate("A", "C", ["a/*"])
    client.repository.target("C", "a/x", b"1")
    client.repository.target("C", "b/x", b"2")
    client.repository.delegate("targets", "B", ["b/*"])
    client.repository.delegate("B", "C", ["b/*"])
    delegation = client.repository.signed("B").delegations
    delegation.roles["C"].keyids.clear()
    client.repository.signed("B").add_key(CryptoSigner.generate_ed25519().public_key, "C")
    client.repository.publish_all()
    assert client.download("a/x", "b/x") == 1
    assert client.got() == [b"1"]


# ---- targets ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["file.txt", "a/b/c/file.txt", "a b/ü.txt", "50%25.txt"])
@pytest.mark.parametrize(
    "layout", ["prefixed", "not consistent"], ids=["consistent snapshots", "no consistent snapshots"]
)
def test_a_target(client: Client, name: str, layout: str) -> None:
    """Downloaded once, whatever its name; not asked for again while it is right."""
    client.init()
    if layout == "not consistent":
        client.repository.signed("root").consistent_snapshot = False
        client.repository.publish("root")
    client.repository.target("targets", name, b"content")
    client.repository.files[name.replace("%25", "%")] = b"content"
    client.repository.publish_all()
    assert client.download(name) == 0
    assert client.got() == [b"content"]
    client.repository.asked.clear()
    assert client.download(name) == 0
    assert not [path for path in client.repository.asked if path.startswith("targets/")]


@BOTH
def test_several_targets_and_a_missing_one(client: Client) -> None:
    """Exit status 1 for any that is not signed; those before it are there."""
    client.init()
    for name in ("a", "b"):
        client.repository.target("targets", name, name.encode())
    client.repository.publish_all()
    assert client.download("a", "b", "missing") == 1
    assert client.got() == [b"a", b"b"]


@BOTH
@pytest.mark.parametrize(
    "bad", [b"other content", b"longer content than signed", b""], ids=["other", "long", "none"]
)
def test_arbitrary_software(client: Client, bad: bytes) -> None:
    """T8: bytes that nobody signed are not kept, and do not replace what is there."""
    client.init()
    client.repository.target("targets", "x", b"first content")
    client.repository.publish_all()
    assert client.download("x") == 0
    client.repository.target("targets", "x", b"newer content")
    client.repository.publish_all()
    client.repository.files["x"] = bad
    assert client.download("x") == 1
    assert client.got() == [b"first content"]
    client.repository.files["x"] = b"newer content"
    assert client.download("x") == 0
    assert client.got() == [b"newer content"]


def test_two_of_the_same_number_are_one_key() -> None:
    """The builder's promise, on which the tables above rest."""
    assert signer(3) is signer(3)
    assert signer(3).public_key.keyid != signer(4).public_key.keyid
