"""What a client of the repository would see: python-tuf's own client, then every file that is listed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from tuf.api.exceptions import DownloadError, DownloadHTTPError, RepositoryError
from tuf.api.metadata import Metadata, Root, Targets
from tuf.ngclient import FetcherInterface, Updater
from tuf.ngclient.config import UpdaterConfig

from inference import FlavourModel, ModelError
from inference import golden as golden_frames
from model_registry.adapters.model_bundle import signature_path, verify_network
from model_registry.errors import RegistryError, StoreFileMissing, VerificationFailed
from model_registry.releases.edits import stored_target
from model_registry.releases.ports import ReleaseStore
from model_registry.releases.state import listing_of, parse, root_note
from wire_protocol.release_metadata import Listing, ReleaseTarget, golden_path, model_path

_SCHEME: Final = "store:"
_REMEDY: Final = "Trust nothing of this repository until it is known who changed it: docs/key-ceremony.md."


@dataclass(frozen=True)
class Verified:
    """What was found to be right."""

    chain: str
    root: int
    targets: int
    snapshot: int
    timestamp: int
    expires: datetime
    listing: Listing
    files: int
    oms: tuple[int, ...]
    """Releases whose OMS signature was checked."""


class _StoreFetcher(FetcherInterface):
    """Lets TUF's client read a store."""

    def __init__(self, store: ReleaseStore) -> None:
        self._store = store

    def _fetch(self, url: str) -> Iterator[bytes]:
        try:
            yield self._store.get(url.removeprefix(_SCHEME))
        except StoreFileMissing as error:
            raise DownloadHTTPError(str(error), 404) from error
        except RegistryError as error:
            raise DownloadError(str(error)) from error


def verify(store: ReleaseStore, trusted_root: bytes, *, models: bool = True) -> Verified:
    """Verify a repository as a register does that trusts `trusted_root`, and all that it lists.

    Args:
        store: The chain's.
        trusted_root: The root that was handed over, such as `1.root.json`.
        models: Whether each network is loaded too, and asked about its golden frames.

    Raises:
        VerificationFailed: Metadata, a file, a manifest, golden frames or an OMS signature is wrong.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        updater = _refreshed(store, trusted_root, folder)
        root: Metadata[Root] = parse((folder / "root.json").read_bytes(), "root.json")
        targets: Metadata[Targets] = parse((folder / "targets.json").read_bytes(), "targets.json")
        snapshot = parse((folder / "snapshot.json").read_bytes(), "snapshot.json")
        timestamp = parse((folder / "timestamp.json").read_bytes(), "timestamp.json")
        listing = listing_of(targets.signed)
        for path, file in targets.signed.targets.items():
            _download(updater, path, folder / "files" / file.hashes["sha256"])
        for target in listing.releases.values():
            _check_release(target, targets.signed, folder, models=models)
        return Verified(
            chain=root_note(root.signed).chain,
            root=root.signed.version,
            targets=targets.signed.version,
            snapshot=snapshot.signed.version,
            timestamp=timestamp.signed.version,
            expires=min(one.signed.expires for one in (root, targets, snapshot, timestamp)),
            listing=listing,
            files=len(targets.signed.targets),
            oms=tuple(_check_oms(store, root.signed, targets.signed, listing)),
        )


def _refreshed(store: ReleaseStore, trusted_root: bytes, folder: Path) -> Updater:
    (folder / "files").mkdir()
    try:
        updater = Updater(
            str(folder),
            f"{_SCHEME}metadata/",
            target_base_url=f"{_SCHEME}targets/",
            fetcher=_StoreFetcher(store),
            config=UpdaterConfig(app_user_agent="topscoop"),
            bootstrap=trusted_root,
        )
        updater.refresh()
    except (RepositoryError, DownloadError) as error:
        raise VerificationFailed(f"a register would refuse this metadata: {error}", remedy=_REMEDY) from error
    return updater


def _download(updater: Updater, path: str, place: Path) -> None:
    info = updater.get_targetinfo(path)
    assert info is not None, "it stands in the targets"
    try:
        updater.download_target(info, str(place))
    except (RepositoryError, DownloadError) as error:
        raise VerificationFailed(f"{path} is not what is signed: {error}", remedy=_REMEDY) from error


def _check_release(target: ReleaseTarget, targets: Targets, folder: Path, *, models: bool) -> None:
    """Whether the network is its manifest's, and answers its golden frames."""
    network = folder / "files" / targets.targets[model_path(target.release)].hashes["sha256"]
    golden = folder / "files" / targets.targets[golden_path(target.release)].hashes["sha256"]
    directory = folder / "model" / str(target.release)
    directory.mkdir(parents=True)
    (directory / "manifest.json").write_text(target.manifest, "utf-8")
    (directory / "model.onnx").hardlink_to(network)
    try:
        if models:
            model = FlavourModel.load(directory)
            golden_frames.check(model, golden_frames.Golden.from_bytes(golden.read_bytes()))
    except ModelError as error:
        raise VerificationFailed(f"release {target.release}: {error}", remedy=error.remedy) from error


def _check_oms(store: ReleaseStore, root: Root, targets: Targets, listing: Listing) -> Iterator[int]:
    public = root_note(root).model_signing_key
    if public is None:
        return
    for release in listing.releases:
        network = stored_target(targets.targets[model_path(release)])
        try:
            signature = store.get(signature_path(network))
        except StoreFileMissing:
            continue  # signed before the root named a key
        verify_network(store.get(network), signature, public)
        yield release
