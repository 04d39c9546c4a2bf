"""A look at a repository: what is verified comes into the rows, what is not leaves them as they are."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from cloud.database.schema import audit, releases
from cloud.releases import rows
from cloud.releases.adapters.folder_files import FolderFiles
from cloud.releases.adapters.memory_files import MemoryFiles
from cloud.releases.errors import NothingTrusted
from cloud.releases.look import GONE, Look, look
from cloud.releases.ports import Piece
from cloud.releases.trust import trust_root
from tests.builders.cloud_database import NOW_MS, add_tenants, postgres_service, sqlite_database
from tests.builders.release_repository import ReleaseRepository, chain_model
from wire_protocol.release_metadata import FIELD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cloud.database.engine import Database
    from tests.builders.postgres import PostgresDatabase

TENANT = "gelateria-sole"


class _Stage:
    """A chain that trusts the root of its repository, and a cloud that looks at it."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.database = database
        self.repository = ReleaseRepository(folder / "store")
        self.files = FolderFiles(folder / "store")
        self.now_ms = NOW_MS
        add_tenants(database, TENANT)
        trust_root(database, TENANT, self.repository.first_root, NOW_MS, actor="operator:ada")

    def look(self) -> Look:
        self.now_ms += 1000
        return look(self.database, self.files, TENANT, self.now_ms)

    def row(self) -> rows.Repository:
        with self.database.tenant(TENANT, read_only=True) as connection:
            found = rows.repository(connection, TENANT)
        assert found is not None
        return found

    def listed(self) -> dict[int, rows.ListedRelease]:
        with self.database.tenant(TENANT, read_only=True) as connection:
            return rows.listed(connection, TENANT)

    def audited(self) -> list[tuple[str, str]]:
        with self.database.tenant(TENANT, read_only=True) as connection:
            found = connection.execute(select(audit.c.action, audit.c.subject).order_by(audit.c.entry))
            return sorted(tuple(row) for row in found if row.action.startswith("release."))

    def fails(self, words: str) -> None:
        """The next look finds this problem, and changes no release and no version."""
        before, versions = self.listed(), self.row().versions
        found = self.look()
        assert found.problem is not None
        assert words in found.problem
        assert (found.listed, found.withdrawn) == ((), ())
        assert self.row().problem == found.problem
        assert self.row().checked_at_ms == self.now_ms
        assert (self.listed(), self.row().versions) == (before, versions)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[_Stage]:
    with sqlite_database(tmp_path) as database:
        yield _Stage(tmp_path, database)


def test_a_release_is_listed_once_with_all_that_was_signed(stage: _Stage) -> None:
    """Manifest, report, budget, digest; audited; a second look changes nothing but its time."""
    stage.repository.add_release(1, version="2026.11.1")
    stage.repository.set_policy(champion=1, minimum_release=1)
    assert stage.look() == Look(TENANT, None, (1,))
    assert stage.look() == Look(TENANT)
    row = stage.row()
    assert (row.problem, row.champion, row.candidate, row.minimum_release) == (None, 1, None, 1)
    assert row.checked_at_ms == stage.now_ms
    assert row.expires_at_ms == int(stage.repository.expiry("timestamp").timestamp() * 1000)
    release = stage.listed()[1]
    assert (release.version, release.digest) == ("2026.11.1", stage.repository.digest(1))
    assert (release.listed_at_ms, release.withdrawn_at_ms) == (NOW_MS + 1000, None)
    assert stage.audited() == [("release.listed", "1")]
    with stage.database.tenant(TENANT, read_only=True) as connection:
        stored = connection.execute(select(releases)).one()
    model = chain_model(TENANT)
    assert stored.manifest == json.loads(stage.repository.releases[1].manifest)
    assert stored.manifest["tenant"] == TENANT
    assert stored.budget_p99_ms == stored.manifest["latency_budget_ms"]["p99"]
    assert stored.report["hit_at_3"] == model.report.hit_at_3
    assert stored.report["signer"] == "Ada"
    assert stored.bytes == stage.repository.target_file("releases/1/model.onnx").stat().st_size


def test_a_withdrawn_release_says_why(stage: _Stage) -> None:
    """It stays in the list, marked; one that its keys list again is good again."""
    stage.repository.add_release(1)
    kept = stage.repository.releases[1]
    stage.repository.add_release(2)
    stage.look()
    stage.repository.withdraw(1, "answers with yesterday's flavours")
    assert stage.look() == Look(TENANT, None, (), (1,))
    assert stage.look() == Look(TENANT)
    assert stage.listed()[1].withdrawn_reason == "answers with yesterday's flavours"
    assert stage.listed()[1].withdrawn_at_ms == NOW_MS + 2000
    assert stage.listed()[2].withdrawn_at_ms is None
    stage.repository.add_release(1, version=None, publish=False)
    assert stage.repository.releases[1].manifest == kept.manifest
    stage.repository.set_policy(withdrawn={})
    assert stage.look() == Look(TENANT, None, (), (), (1,))
    assert stage.listed()[1].withdrawn_at_ms is None
    assert stage.audited() == [
        ("release.listed", "1"),
        ("release.listed", "2"),
        ("release.listed-again", "1"),
        ("release.withdrawn", "1"),
    ]


def test_a_release_that_silently_vanished_counts_as_withdrawn(stage: _Stage) -> None:
    """The keys list what may run; what they do not list may not."""
    stage.repository.add_release(1)
    stage.look()
    for path in ("releases/1/model.onnx", "releases/1/golden.cbor"):
        del stage.repository.roles["targets"].signed.targets[path]
    stage.repository.publish()
    assert stage.look() == Look(TENANT, None, (), (1,))
    assert stage.listed()[1].withdrawn_reason == GONE


def test_an_empty_repository_is_fine(stage: _Stage) -> None:
    """Nothing was released yet."""
    assert stage.look() == Look(TENANT)
    assert stage.row().minimum_release == 0


def test_without_a_root_nothing_is_believed(tmp_path: Path) -> None:
    """And the error says which command trusts one."""
    with sqlite_database(tmp_path) as database:
        add_tenants(database, TENANT)
        with pytest.raises(NothingTrusted) as nothing:
            look(database, MemoryFiles(), TENANT, NOW_MS)
    assert "tenant trust" in nothing.value.remedy


@pytest.mark.parametrize("role", ["root", "targets", "snapshot", "timestamp"])
def test_metadata_that_ended_is_named_and_what_was_known_stays(stage: _Stage, role: str) -> None:
    """T8: freeze; it says which command renews."""
    stage.repository.add_release(1)
    stage.look()
    stage.repository.expire(role)
    stage.fails("has ended")
    assert "topscoop model" in (stage.row().problem or "")


def test_a_repository_is_good_again_after_its_trouble(stage: _Stage) -> None:
    """The problem goes away with the next good look."""
    stage.repository.add_release(1)
    stage.look()
    stage.repository.expire("timestamp")
    stage.look()
    stage.repository.renew()
    assert stage.look() == Look(TENANT)
    assert stage.row().problem is None


def test_metadata_of_other_keys_changes_nothing(stage: _Stage) -> None:
    """T8: arbitrary model: who holds the store, and no key, lists nothing."""
    stage.repository.add_release(1)
    stage.look()
    stage.repository.add_release(2, publish=False)
    repository = stage.repository
    for role in ("targets", "snapshot", "timestamp"):
        repository.roles[role].signed.version += 1
    repository.roles["snapshot"].signed.meta["targets.json"].version += 1
    repository.roles["timestamp"].signed.snapshot_meta.version += 1
    repository.write("snapshot", repository.sign("snapshot"))
    repository.write("timestamp", repository.sign("timestamp"))
    repository.write("targets", repository.sign("targets", with_keys_of="timestamp"))
    stage.fails("keys did not sign")


def _snapshot_of_store(stage: _Stage, folder: Path) -> None:
    shutil.copytree(stage.repository.folder, folder)


def _put_back(stage: _Stage, folder: Path) -> None:
    shutil.rmtree(stage.repository.folder)
    shutil.copytree(folder, stage.repository.folder)


def test_an_older_repository_is_refused_although_no_cache_remembers(stage: _Stage, tmp_path: Path) -> None:
    """T8: rollback: a withdrawn release does not come back with the metadata of yesterday."""
    stage.repository.add_release(1)
    stage.look()
    _snapshot_of_store(stage, tmp_path / "yesterday")
    stage.repository.withdraw(1)
    stage.look()
    _put_back(stage, tmp_path / "yesterday")
    stage.fails("rolled back")
    assert stage.listed()[1].withdrawn_at_ms is not None


def test_an_older_timestamp_of_the_same_targets_is_refused(stage: _Stage, tmp_path: Path) -> None:
    """T8: rollback of the timestamp alone."""
    stage.repository.add_release(1)
    stage.look()
    _snapshot_of_store(stage, tmp_path / "yesterday")
    stage.repository.renew()
    stage.look()
    _put_back(stage, tmp_path / "yesterday")
    stage.fails("rolled back: timestamp")


def test_an_older_root_is_refused(stage: _Stage, tmp_path: Path) -> None:
    """T9: a key that a newer root revoked is not believed again because the newer root was hidden."""
    stage.repository.add_release(1)
    _snapshot_of_store(stage, tmp_path / "yesterday")
    stage.repository.rotate("targets")
    stage.look()
    _put_back(stage, tmp_path / "yesterday")
    stage.fails("rolled back: its root")


@pytest.mark.parametrize("role", ["root", "targets", "snapshot", "timestamp"])
def test_keys_can_be_replaced(stage: _Stage, role: str) -> None:
    """T9: the new ones sign on; the first trusted root leads to them."""
    stage.repository.add_release(1)
    stage.look()
    stage.repository.rotate(role)
    stage.repository.add_release(2)
    assert stage.look() == Look(TENANT, None, (2,))


def test_a_fast_forward_is_healed_by_new_keys_and_only_by_them(stage: _Stage) -> None:
    """T8, T9: whoever stole the timestamp's key signed the largest version; a rotation begins again."""
    repository = stage.repository
    repository.add_release(1)
    good = {role: repository.roles[role].signed.version for role in ("snapshot", "timestamp")}
    for role in good:
        repository.roles[role].signed.version = 2_000_000
    repository.publish(targets=False)
    assert stage.look().problem is None
    for role, version in good.items():
        repository.roles[role].signed.version = version
    repository.publish(targets=False)
    stage.fails("rolled back")
    repository.rotate("targets")
    stage.fails("rolled back")
    repository.rotate("timestamp")
    assert stage.look().problem is None
    assert stage.row().versions.timestamp < 2_000_000


@pytest.mark.parametrize("version", [2**31, 2**63, 2**200], ids=["32 bits", "64 bits", "more"])
@pytest.mark.parametrize("role", ["snapshot", "timestamp"])
def test_a_version_that_no_row_holds_is_a_problem_and_no_crash(
    stage: _Stage, role: str, version: int
) -> None:
    """T9: a stolen key that signs the largest number troubles its own chain, and the loop goes on."""
    stage.repository.add_release(1)
    stage.look()
    stage.repository.roles[role].signed.version = version
    stage.repository.publish(targets=False)
    stage.fails("somebody signed to lock the chain in")


def test_new_online_keys_do_not_let_the_releases_be_rolled_back(stage: _Stage) -> None:
    """T8: replaced keys of timestamp and snapshot may begin again; the targets' own versions never sink."""
    repository = stage.repository
    repository.add_release(1)
    older = repository.roles["targets"].signed.version
    repository.withdraw(1)
    stage.look()
    repository.rotate("timestamp")
    repository.rotate("snapshot")
    repository.roles["targets"].signed.version = older - 1
    repository.publish()
    assert repository.roles["targets"].signed.version == older
    stage.fails("rolled back: targets")


@pytest.mark.parametrize(
    ("name", "words"),
    [("timestamp.json", "lacks a file"), ("{snapshot}.snapshot.json", "lacks a file")],
)
def test_a_file_that_lacks_is_named(stage: _Stage, name: str, words: str) -> None:
    """Not published yet, or lost."""
    stage.look()
    version = stage.repository.roles["snapshot"].signed.version
    (stage.repository.folder / "metadata" / name.format(snapshot=version)).unlink()
    stage.fails(words)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\0" * 1000, b"x" * 6_000_000])
def test_junk_is_a_problem_and_no_crash(stage: _Stage, content: bytes) -> None:
    """T13: zeroed, truncated, endless."""
    stage.look()
    (stage.repository.folder / "metadata" / "timestamp.json").write_bytes(content)
    stage.fails("cannot be believed")


def test_a_number_is_never_used_twice(stage: _Stage) -> None:
    """T9: the same release with another network is refused, whoever signed it."""
    stage.repository.add_release(1)
    stage.look()
    stage.repository.add_release(1, note="another network")
    stage.fails("signed again with another network")


def test_a_release_of_another_chain_is_refused(stage: _Stage) -> None:
    """Its manifest says whose it is."""
    stage.repository.add_release(1)
    stage.look()
    stage.repository.add_release(2, files=chain_model("polar-scoop"))
    stage.fails("another chain")


def test_metadata_that_says_what_cannot_be_is_refused(stage: _Stage) -> None:
    """Signed, and without a policy that could be read."""
    stage.look()
    targets = stage.repository.roles["targets"].signed
    publish = stage.repository.policy.to_value
    value = {**publish(), "minimum_release": -1}
    stage.repository.publish()
    targets.unrecognized_fields[FIELD] = value
    targets.version += 1
    stage.repository.roles["snapshot"].signed.meta["targets.json"].version = targets.version
    for role in ("snapshot", "timestamp"):
        stage.repository.roles[role].signed.version += 1
    stage.repository.roles["timestamp"].signed.snapshot_meta.version = stage.repository.roles[
        "snapshot"
    ].signed.version
    for role in ("targets", "snapshot", "timestamp"):
        stage.repository.write(role, stage.repository.sign(role))
    stage.fails("policy")


def test_a_store_that_is_away_is_a_problem_of_the_moment(stage: _Stage) -> None:
    """What is known stays, and the page says why nothing new comes."""
    stage.repository.add_release(1)
    stage.look()
    away = MemoryFiles()
    away.away = True
    stage.files = away  # type: ignore[assignment] # another place of the same port
    stage.fails("does not answer")


def test_who_was_overtaken_writes_nothing(stage: _Stage) -> None:
    """Two controllers: what one saw before the other saw newer metadata does not undo it."""
    stage.repository.add_release(1)
    stage.look()

    class _Overtaking(FolderFiles):
        """While this look reads its old timestamp, another one sees a newer one."""

        once = True

        def get(self, tenant: str, path: str, offset: int, length: int) -> Piece:
            found = super().get(tenant, path, offset, length)
            if path.startswith("metadata/timestamp") and self.once:
                self.once = False
                stage.repository.withdraw(1)
                stage.look()
            return found

    slow = look(stage.database, _Overtaking(stage.repository.store), TENANT, NOW_MS)
    assert slow.listed == slow.again == ()
    assert stage.listed()[1].withdrawn_at_ms is not None
    assert stage.row().problem is None


@pytest.mark.service
def test_it_is_the_same_on_postgresql(tmp_path: Path, postgres_database: PostgresDatabase) -> None:
    """As the services' role, behind row-level security; another chain's rows stay its own."""
    with postgres_service(postgres_database) as database:
        stage = _Stage(tmp_path, database)
        stage.repository.add_release(1)
        assert stage.look() == Look(TENANT, None, (1,))
        stage.repository.withdraw(1)
        stage.repository.add_release(2)
        assert stage.look() == Look(TENANT, None, (2,), (1,))
        stage.repository.expire("timestamp")
        stage.fails("has ended")
        with database.tenant("polar-scoop", read_only=True) as connection:
            assert rows.repository(connection, TENANT) is None
            assert rows.listed(connection, TENANT) == {}
