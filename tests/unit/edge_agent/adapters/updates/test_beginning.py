"""The start of an agent that has releases."""

from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.adapters.updates.beginning import RELEASES, Beginning, begin, end, folder_of
from edge_agent.adapters.updates.state_sqlite import SqliteState
from edge_agent.model_slot import ModelSlot
from edge_agent.updates import transitions
from edge_agent.updates.choice import Choice, Source
from edge_agent.updates.errand import Done, Verified, pack_listing
from edge_agent.updates.facts import Facts, Order
from edge_agent.updates.slots import Verdict
from inference import FlavourModel
from tests.builders.records import StandingClock
from tests.builders.tiny_model import build_model_dir
from tests.builders.update_facts import NOW_MS, TRANSACTION
from wire_protocol.fleet_messages import DesiredDown, MetadataSeen, Settings, UpdateReason


class Disk:
    """A data folder with releases 1 and 2, both GOOD, 2 active."""

    def __init__(self, folder: Path, *, floor: int = 0) -> None:
        self.data_dir = folder / "data"
        self.installed = build_model_dir(folder / "installed", golden=False, seed=99)
        self.paths: dict[int, Path] = {}
        digests: dict[int, str] = {}
        facts = Facts()
        for release in (1, 2):
            made = build_model_dir(folder / str(release), golden=False, seed=release)
            digests[release] = FlavourModel.load(made).digest
            name = f"{release}-{digests[release][:16]}"
            self.paths[release] = folder_of(self.data_dir) / RELEASES / name
            self.paths[release].parent.mkdir(parents=True, exist_ok=True)
            made.rename(self.paths[release])
            seen = MetadataSeen(1, 1, 1, 1, NOW_MS, floor)
            verified = Verified(seen, pack_listing(digests))
            order = Order.of(DesiredDown(release, Settings(), release, digests[release]))
            ordered = transitions.ordered(facts, order, TRANSACTION, NOW_MS)
            assert ordered is not None
            facts = transitions.looked(ordered, verified, release)
            facts = transitions.staged(facts, Done(verified, release, digests[release], name), NOW_MS)
            facts = transitions.activated(
                facts, Choice(Source.RELEASE, facts.slot(release)), NOW_MS + release
            )
            facts = transitions.passed(facts, NOW_MS + release)
        self.save(facts)

    def save(self, facts: Facts) -> None:
        store = SqliteState(folder_of(self.data_dir), StandingClock())
        store.save(facts)
        store.close()

    def facts(self) -> Facts:
        store = SqliteState(folder_of(self.data_dir), StandingClock())
        try:
            return store.load()
        finally:
            store.close()

    def begin(self) -> Beginning:
        slot = ModelSlot(FlavourModel.load, tenant="gelateria-sole")
        beginning = begin(self.data_dir, StandingClock(), slot.load, self.installed)
        beginning.store.close()
        return beginning


def test_a_register_without_releases_begins_as_ever(tmp_path: Path) -> None:
    """The installed model, and nothing on the disk."""
    installed = build_model_dir(tmp_path / "installed", golden=False)
    slot = ModelSlot(FlavourModel.load, tenant="gelateria-sole")
    beginning = begin(tmp_path / "data", StandingClock(), slot.load, installed)
    assert (beginning.choice.source, beginning.directory) == (Source.INSTALLED, installed)
    end(beginning)
    assert not (tmp_path / "data").exists()


def test_an_installed_model_that_is_none_leaves_best_sellers(tmp_path: Path) -> None:
    """As ever, called so."""
    slot = ModelSlot(FlavourModel.load, tenant="gelateria-sole")
    beginning = begin(tmp_path / "data", StandingClock(), slot.load, tmp_path / "nothing")
    assert (beginning.choice.source, beginning.model, beginning.installed) == (Source.BESTSELLERS, None, None)


def test_the_active_release_is_loaded(tmp_path: Path) -> None:
    """And the start is noted: it counts, until the agent ends in order."""
    disk = Disk(tmp_path)
    beginning = disk.begin()
    assert (beginning.choice.release, beginning.directory) == (2, disk.paths[2])
    assert disk.facts().open
    end(beginning)
    assert not disk.facts().open
    assert disk.begin().facts.crashes == 0


@pytest.mark.parametrize("how", ["zeroed", "truncated", "gone", "manifest", "another"])
def test_a_damaged_release_gives_way_to_the_one_before(tmp_path: Path, how: str) -> None:
    """T13: zeroed, cut off, lost, or another network under its name: never run, and fetched anew."""
    disk = Disk(tmp_path)
    network = disk.paths[2] / "model.onnx"
    match how:
        case "zeroed":
            network.write_bytes(bytes(network.stat().st_size))
        case "truncated":
            network.write_bytes(network.read_bytes()[:-1])
        case "gone":
            network.unlink()
        case "manifest":
            (disk.paths[2] / "manifest.json").write_bytes(b"")
        case "another":
            for name in ("model.onnx", "manifest.json"):
                (disk.paths[2] / name).write_bytes((disk.installed / name).read_bytes())
    beginning = disk.begin()
    assert beginning.choice.release == 1
    facts = disk.facts()
    assert (facts.active, facts.slot(2)) == (1, None)
    assert facts.attempt is not None
    assert facts.attempt.reason is UpdateReason.DIGEST_MISMATCH


def test_with_every_release_damaged_the_floor_decides(tmp_path: Path) -> None:
    """The installed model while no minimum was signed; best-sellers from then on."""
    for floor, source in ((0, Source.INSTALLED), (1, Source.BESTSELLERS)):
        disk = Disk(tmp_path / str(floor), floor=floor)
        for path in disk.paths.values():
            (path / "model.onnx").write_bytes(b"")
        assert disk.begin().choice.source is source


def test_the_second_death_on_trial_brings_the_one_before(tmp_path: Path) -> None:
    """T10: BAD at the start, before it is loaded once more."""
    disk = Disk(tmp_path)
    facts = disk.facts()
    slot = facts.slot(2)
    assert slot is not None
    trial = replace(facts.with_slot(replace(slot, verdict=Verdict.TRIAL)), open=True)
    disk.save(trial)
    assert disk.begin().choice.release == 2
    beginning = disk.begin()
    assert beginning.choice.release == 1
    bad = disk.facts().slot(2)
    assert bad is not None
    assert (bad.verdict, bad.reason) == (Verdict.BAD, UpdateReason.CRASHED)
