import json
from pathlib import Path

import pytest

from simulator.chains import CHAINS
from simulator.demo.errors import ModelMismatchError
from simulator.demo.post import read_manifest
from tests.builders.tiny_model import build_model_dir


def test_a_missing_model_is_told_with_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ModelMismatchError, match="no model of Polar Scoop in") as caught:
        read_manifest(CHAINS["polar-scoop"], tmp_path)
    assert "--models" in caught.value.remedy


def test_a_model_of_another_catalogue_is_refused(tmp_path: Path) -> None:
    build_model_dir(tmp_path / "model")
    with pytest.raises(ModelMismatchError, match="another catalogue"):
        read_manifest(CHAINS["polar-scoop"], tmp_path / "model")


def test_the_chains_own_model_is_read(tmp_path: Path) -> None:
    chain = CHAINS["polar-scoop"]
    build_model_dir(tmp_path / "model")
    path = tmp_path / "model" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["tenant"] = chain.tenant
    manifest["flavours"] = [{"id": f.id, "names": dict(f.names), "colour": f.colour} for f in chain.flavours]
    manifest["bestsellers"] = [f.id for f in chain.flavours]
    path.write_text(json.dumps(manifest))
    assert read_manifest(chain, tmp_path / "model").flavour_ids == tuple(f.id for f in chain.flavours)
