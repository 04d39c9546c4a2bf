"""What lies on a register against what the chain signed."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge_agent.adapters.config_sources import load_config
from edge_agent.adapters.updates.beginning import RELEASES, folder_of
from edge_agent.adapters.updates.release_door import SignedReleases, verify
from edge_agent.updates.facts import Facts
from edge_agent.updates.slots import Slot, Verdict
from inference import FlavourModel
from tests.builders.agent_process import write_config
from tests.builders.tiny_model import build_model_dir

if TYPE_CHECKING:
    from pathlib import Path

    from edge_agent.config import EdgeConfig


class Till:
    """One release lies here, as it was signed."""

    def __init__(self, folder: Path) -> None:
        self.config: EdgeConfig = load_config(write_config(folder, model_dir=None), {}).config
        self.place = folder_of(self.config.data_dir) / RELEASES / "3-x"
        shutil.copytree(build_model_dir(folder / "made", golden=False), self.place)
        digest = FlavourModel.load(self.place).digest
        self.facts = Facts(slots=(Slot(3, digest, "3-x", Verdict.GOOD, 1),))
        manifest = (self.place / "manifest.json").read_text("utf-8")
        self.signed = SignedReleases({3: digest}, {3: manifest}, ())

    def look(self, signed: SignedReleases | None) -> tuple[bool, str]:
        (looked,) = verify(self.config, self.facts, signed)
        return looked.good, looked.said


@pytest.fixture
def till(tmp_path: Path) -> Till:
    return Till(tmp_path)


def test_what_is_as_it_was_signed_is_good(till: Till) -> None:
    """Network, manifest, listing."""
    good, said = till.look(till.signed)
    assert good, said


def test_each_way_not_to_be_what_was_signed_is_told(till: Till) -> None:
    """T8: nothing that proves it, withdrawn, another network, another manifest, another file."""
    signed = till.signed
    assert "nothing that lies here proves" in till.look(None)[1]
    assert "withdrawn" in till.look(replace(signed, withdrawn={3}))[1]
    assert "another network" in till.look(replace(signed, networks={3: "0" * 64}))[1]
    manifest = till.place / "manifest.json"
    value = json.loads(manifest.read_bytes())
    first, second = value["flavours"][:2]
    first["id"], second["id"] = second["id"], first["id"]
    manifest.write_text(json.dumps(value))
    assert till.look(signed) == (False, "its manifest is another than the signed one")
    (till.place / "model.onnx").write_bytes(b"")
    assert not till.look(signed)[0]
