"""An errand over ports that a test plays: order, room, disk, and what is told (T13)."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.updater import flow
from edge_agent.updater.adapters.shelf_folder import FolderShelf
from edge_agent.updater.flow import GOLDEN_MOST_BYTES, PREPARE_AHEAD_BYTES, SPARE_BYTES, Errand
from edge_agent.updater.ports import Signed, SignedFile
from edge_agent.updater.refusal import Refusal
from edge_agent.updater.steps import Step
from edge_agent.updater.transfer import FetchFailed, FileMissing
from edge_agent.updates.errand import Done, Job, Progress, Tried
from tests.unit.edge_agent.updater.test_judgement import job, manifest, signed
from wire_protocol.fleet_messages import UpdateReason, UpdateState

MODEL, GOLDEN = b"a network", b"golden frames"


class World:
    """Trust, source and preflight in one; the shelf is a real folder."""

    def __init__(self, folder: Path) -> None:
        self.state = signed()
        self.files: dict[str, bytes] = {"model.onnx": MODEL, "golden.cbor": GOLDEN}
        self.served = dict(self.files)
        self.source_error: Exception | None = None
        self.refusal: Refusal | None = None
        self.shelf = FolderShelf(folder / "staging", folder / "releases")
        self.told: list[Progress] = []
        self.steps: list[Step] = []
        self.folder = folder
        self.sent = 0
        self.prepared_at: list[int] = []

    def refresh(self) -> Signed:
        return self.state

    def file(self, path: str) -> SignedFile | None:
        name = path.rpartition("/")[2]
        content = self.files.get(name)
        return None if content is None else SignedFile(name, len(content), _sha256(content))

    def fetch(self, path: str, *, offset: int, total: int | None, longest: int) -> Iterator[bytes]:
        assert total == len(self.files[path]) <= longest
        if self.source_error is not None:
            raise self.source_error
        for piece in (self.served[path][offset : offset + 3], self.served[path][offset + 3 :]):
            self.sent += len(piece)
            yield piece

    def prepare(self) -> None:
        self.prepared_at.append(self.sent)

    def try_model(self, directory: str) -> Tried:
        assert (Path(directory) / "manifest.json").exists()
        if self.refusal is not None:
            raise self.refusal
        return Tried(1.0, 2.0, 3, 4, 5.0)

    def errand(self, wanted: Job | None = None) -> Errand:
        return Errand(wanted or job(), self, self, self.shelf, self, self.told.append, self.steps.append)

    def run(self, wanted: Job | None = None) -> Done:
        try:
            return self.errand(wanted).carry_out()
        finally:
            self.shelf.close()

    def releases(self) -> list[str]:
        return [one.name for one in (self.folder / "releases").iterdir()]

    def left(self) -> list[str]:
        return sorted(one.name for one in (self.folder / "staging").rglob("*") if one.name != "lock")


def _sha256(content: bytes) -> str:
    import hashlib

    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_the_steps_in_their_order(world: World) -> None:
    """Each once, as the table numbers them."""
    done = world.run()
    assert world.steps == list(Step)
    assert done.tried == Tried(1.0, 2.0, 3, 4, 5.0)
    assert done.directory == f"5-{manifest()['model']['sha256'][:16]}"
    assert world.releases() == [done.directory]
    assert world.left() == []
    assert [one.state for one in world.told][-1] is UpdateState.PREFLIGHT
    assert max(one.fetched_bytes for one in world.told) == len(MODEL) + len(GOLDEN)


def test_who_tries_the_model_is_made_ready_while_the_rest_comes(world: World) -> None:
    """But not long before: on a slow link it would wait for minutes with all its memory."""
    world.run()
    assert world.prepared_at[0] == 3, "after the first piece: no more than that is missing"
    long = World(world.folder / "long")
    rest = bytes(PREPARE_AHEAD_BYTES)
    long.files["model.onnx"] = long.served["model.onnx"] = MODEL[:3] + rest + MODEL
    long.run()
    assert long.prepared_at[0] == 3 + len(rest) + len(MODEL)


def test_a_complete_release_is_not_brought_again(world: World) -> None:
    """Its digests are looked at; nothing is fetched, nothing tried."""
    world.run()
    world.steps.clear()
    world.source_error = AssertionError("nothing is fetched")
    done = world.run()
    assert done.tried is None
    assert Step.FETCH_MODEL not in world.steps


def test_a_release_that_rotted_is_brought_again(world: World) -> None:
    """T13: a file that a failing disk changed is found by its digest."""
    done = world.run()
    (world.folder / "releases" / str(done.directory) / "model.onnx").write_bytes(bytes(len(MODEL)))
    assert world.run().tried is not None


def test_only_a_look(world: World) -> None:
    """Without a release nothing is brought, and what was verified is told."""
    done = world.run(job(release=None, digest=None))
    assert done.release is None
    assert done.verified.listing
    assert world.steps[-1] is Step.JUDGE


@pytest.mark.parametrize("missing", ["model.onnx", "golden.cbor"])
def test_an_incomplete_release_is_not_listed(world: World, missing: str) -> None:
    """Network and golden frames belong together."""
    del world.files[missing]
    with pytest.raises(Refusal) as caught:
        world.run()
    assert caught.value.reason is UpdateReason.NOT_LISTED


def test_golden_frames_of_any_length_are_not_fetched(world: World) -> None:
    """A signed mistake does not fill the link."""
    world.files["golden.cbor"] = bytes(GOLDEN_MOST_BYTES + 1)
    with pytest.raises(Refusal) as caught:
        world.run()
    assert caught.value.reason is UpdateReason.TOO_LARGE


def test_without_room_nothing_is_begun(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a byte is fetched; what sales need stays free."""
    monkeypatch.setattr(world.shelf, "room", lambda: SPARE_BYTES)
    with pytest.raises(Refusal) as caught:
        world.run()
    assert caught.value.reason is UpdateReason.NO_ROOM
    assert caught.value.passing
    assert world.releases() == []
    assert world.left() == []


@pytest.mark.parametrize(
    ("error", "words"),
    [(FetchFailed("no answer"), "no answer"), (FileMissing("there is no x"), "not there")],
    ids=["no answer", "missing"],
)
def test_a_file_that_does_not_come(world: World, error: Exception, words: str) -> None:
    """Trouble that may pass."""
    world.source_error = error
    with pytest.raises(Refusal, match=words) as caught:
        world.run()
    assert caught.value.reason is UpdateReason.UNREACHABLE
    assert world.releases() == []


def test_what_preflight_refuses_is_thrown_away(world: World) -> None:
    """T10: a bad model leaves nothing behind; what was verified is still told."""
    world.refusal = Refusal(UpdateReason.BROKEN_ANSWER, "NaN")
    errand = world.errand()
    with pytest.raises(Refusal):
        errand.carry_out()
    assert errand.verified is not None
    assert world.releases() == []
    assert world.left() == []


def test_what_preflight_could_not_try_is_kept(world: World) -> None:
    """The process did not start: the next attempt fetches nothing again."""
    world.refusal = Refusal(UpdateReason.CRASHED, "no memory", passing=True)
    with pytest.raises(Refusal):
        world.run()
    assert "model.onnx" in world.left()
    world.refusal, world.source_error = None, AssertionError("nothing is fetched")
    assert world.run().release == 5


def test_a_disk_that_fails_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """T13: what the disk refuses goes up as it is; nothing half done lies among the releases."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(world.shelf, "append", full)
    with pytest.raises(OSError, match="No space"):
        world.run()
    assert world.releases() == []


def test_metadata_below_the_floor_tells_nothing(world: World) -> None:
    """T8: what an old repository lists must not reach the register's choice."""
    errand = world.errand(replace(job(), floor=7))
    with pytest.raises(Refusal) as caught:
        errand.carry_out()
    assert caught.value.reason is UpdateReason.UNTRUSTED
    assert errand.verified is None
    assert flow.MODEL not in world.left()
