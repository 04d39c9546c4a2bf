"""Verification of models that are signed, and wrong all the same."""

from dataclasses import replace
from pathlib import Path

import pytest

from model_registry.adapters.folder_store import FolderStore
from model_registry.errors import VerificationFailed
from model_registry.releases.verification import verify
from tests.builders.release_repository import ReleaseRepository, chain_model


@pytest.fixture
def repository(tmp_path: Path) -> ReleaseRepository:
    return ReleaseRepository(tmp_path, "polar-scoop")


def _verify(repository: ReleaseRepository) -> None:
    verify(FolderStore(repository.folder), repository.first_root)


def test_a_good_release_passes(repository: ReleaseRepository) -> None:
    repository.add_release(1)
    _verify(repository)


def test_another_models_golden_frames(repository: ReleaseRepository) -> None:
    """T10: signed, but not what its maker measured."""
    other = chain_model("gelateria-sole")
    repository.add_release(1, files=replace(chain_model("polar-scoop"), golden=other.golden))
    with pytest.raises(VerificationFailed, match="release 1: the golden frames are about 16 flavours"):
        _verify(repository)


def test_a_network_that_is_none(repository: ReleaseRepository) -> None:
    """T10: a manifest for other bytes."""
    repository.add_release(1, files=replace(chain_model("polar-scoop"), network=b"no network"), note=None)
    with pytest.raises(VerificationFailed, match=r"release 1: model\.onnx has 10 bytes"):
        _verify(repository)


def test_an_expired_timestamp(repository: ReleaseRepository) -> None:
    repository.add_release(1)
    repository.expire("timestamp")
    with pytest.raises(VerificationFailed, match="expired"):
        _verify(repository)
