"""The rules of a chain's releases, as a state machine that tries everything in any order."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from model_registry.adapters.folder_store import FolderStore
from model_registry.errors import ReleaseRefused
from model_registry.releases.edits import Editor, stored_target
from model_registry.releases.publication import publish
from model_registry.releases.state import read_state
from tests.builders.release_drafts import NOW, Keys, release_target
from tests.builders.release_repository import chain_model
from wire_protocol.release_metadata import golden_path, model_path

numbers = st.integers(1, 8)


class Releases(RuleBasedStateMachine):
    """Whatever an operator tries, numbers only grow, withdrawals stay, the minimum never sinks."""

    def __init__(self) -> None:
        super().__init__()
        self.place = tempfile.TemporaryDirectory()
        self.store = FolderStore(Path(self.place.name))
        self.keys = Keys()
        publish(self.store, self.keys.begin(), self.keys.online, now=NOW)
        self.ever: dict[int, str] = {}
        self.withdrawn: set[int] = set()
        self.minimum = 0

    def teardown(self) -> None:
        self.place.cleanup()

    @rule(number=numbers)
    def release(self, number: int) -> None:
        allowed = number > max(self.ever, default=0) and number >= self.minimum
        try:
            draft = self.keys.release(self.store, number)
        except ReleaseRefused:
            assert not allowed
            return
        assert allowed
        publish(self.store, draft, self.keys.online, now=NOW)
        self.ever[number] = read_state(self.store).listing.releases[number].manifest

    @rule(number=numbers)
    def withdraw(self, number: int) -> None:
        if self._change(lambda editor: editor.withdraw(number, "worse")):
            self.withdrawn.add(number)

    @rule(number=numbers)
    def set_minimum(self, number: int) -> None:
        if self._change(lambda editor: editor.set_minimum(number)):
            self.minimum = number

    @rule(number=st.none() | numbers, alias=st.sampled_from(["champion", "candidate"]))
    def set_alias(self, number: int | None, alias: str) -> None:
        self._change(lambda editor: editor.set_alias(alias, number))

    @invariant()
    def the_rules_hold(self) -> None:
        listing = read_state(self.store).listing
        assert set(listing.releases) == set(self.ever) - self.withdrawn
        assert all(listing.releases[one].manifest == self.ever[one] for one in listing.releases)
        assert set(listing.policy.withdrawn) == self.withdrawn
        assert listing.policy.minimum_release == self.minimum
        for alias in (listing.policy.champion, listing.policy.candidate):
            assert alias is None or listing.may_run(alias)

    def _change(self, act: Callable[[Editor], None]) -> bool:
        try:
            draft = self.keys.change(self.store, act)
        except ReleaseRefused:
            return False
        publish(self.store, draft, self.keys.online, now=NOW)
        return True


TestReleases = Releases.TestCase
TestReleases.settings = settings(max_examples=8, stateful_step_count=12, deadline=None)


def test_files_lie_where_consistent_snapshots_have_them() -> None:
    made = chain_model("polar-scoop")
    editor = Editor(None, by="Ada", now=NOW)
    editor.release(release_target(3, made), made.network, made.golden)
    editor.set_service_keys(b"{}")
    edit = editor.done()
    assert stored_target(edit.targets.targets[model_path(3)]) == (
        f"targets/releases/3/{made.digest}.model.onnx"
    )
    assert edit.files[stored_target(edit.targets.targets[golden_path(3)])] == made.golden
    assert stored_target(edit.targets.targets["service-keys.json"]).startswith("targets/44136fa355b3678a")


@pytest.mark.parametrize("reason", ["", " ", "two\nlines", "x" * 201], ids=["none", "blank", "lines", "long"])
def test_a_withdrawal_has_a_reason(reason: str) -> None:
    made = chain_model("polar-scoop")
    editor = Editor(None, by="Ada", now=NOW)
    editor.release(release_target(3, made), made.network, made.golden)
    with pytest.raises(ReleaseRefused, match="needs a reason"):
        editor.withdraw(3, reason)


def test_signing_again_changes_nothing() -> None:
    assert Editor(None, by="Ada", now=NOW).done().words == ()
