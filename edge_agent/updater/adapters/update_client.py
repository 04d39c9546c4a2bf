"""A plain client of any TUF repository, over the very classes that the updater uses."""

from pathlib import Path
from typing import Final

from tuf.api.exceptions import DownloadError, RepositoryError
from tuf.api.metadata import Metadata, Root

from edge_agent.adapters.durable import sync_file, sync_folder, write_durably
from edge_agent.updater.adapters.tuf_client import DurableUpdater, client
from edge_agent.updater.adapters.tuf_fetcher import SourceFetcher
from edge_agent.updater.ports import Source
from wire_protocol.errors import TopscoopError

ROOT: Final = "root.json"
_REFUSED: Final = "Nothing was taken; look at the repository before trying again."


class ClientFailed(TopscoopError):
    """The repository did not prove what it offers, or could not be reached."""


def initialize(metadata_dir: Path, root: Path) -> None:
    """Trust this root from now on; nothing is fetched.

    Raises:
        ClientFailed: It is no root, or not signed by itself.
    """
    try:
        content = root.read_bytes()
        metadata = Metadata[Root].from_bytes(content)
        if metadata.signed.type != Root.type:
            raise ClientFailed(f"{root} is no root metadata", remedy="Name the repository's root.json.")
        metadata.signed.verify_delegate(Root.type, metadata.signed_bytes, metadata.signatures)
        metadata_dir.mkdir(parents=True, exist_ok=True)
        write_durably(metadata_dir / ROOT, content)
    except (RepositoryError, OSError) as error:
        raise ClientFailed(
            f"{root} cannot be trusted: {error}", remedy="Get the root again, from somebody you trust."
        ) from error


def refresh(metadata_dir: Path, metadata_url: str, source: Source) -> None:
    """Bring the top-level metadata up to date.

    Raises:
        ClientFailed: Any part of it failed.
    """
    try:
        _client(metadata_dir, metadata_url, source).refresh()
    except (RepositoryError, DownloadError, OSError) as error:
        raise ClientFailed(_words(error), remedy=_REFUSED) from error


def download(
    metadata_dir: Path,
    metadata_url: str,
    source: Source,
    *,
    names: list[str],
    base_url: str,
    target_dir: Path,
) -> list[Path]:
    """Bring the metadata up to date, and then these targets; what lies there with the right hash stays.

    Raises:
        ClientFailed: Any part of it failed; targets before that one were brought.
    """
    try:
        updater = _client(metadata_dir, metadata_url, source)
        updater.refresh()
        target_dir.mkdir(parents=True, exist_ok=True)
        return [_one(updater, name, base_url, target_dir) for name in names]
    except (RepositoryError, DownloadError, OSError) as error:
        raise ClientFailed(_words(error), remedy=_REFUSED) from error


def _one(updater: DurableUpdater, name: str, base_url: str, target_dir: Path) -> Path:
    info = updater.get_targetinfo(name)
    if info is None:
        raise ClientFailed(f"no target {name!r} is signed in this repository", remedy="Check its name.")
    updater.target_dir = str(target_dir)
    if (cached := updater.find_cached_target(info)) is not None:
        return Path(cached)
    # python-tuf writes where it is told; a temporary name keeps what is there whole until the new one is.
    temporary = target_dir / ".download.new"
    final = target_dir / updater.file_name(info)
    try:
        updater.download_target(info, str(temporary), base_url)
        sync_file(temporary)
        temporary.replace(final)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(target_dir)
    return final


def _client(metadata_dir: Path, metadata_url: str, source: Source) -> DurableUpdater:
    if not (metadata_dir / ROOT).exists():
        raise ClientFailed(
            f"{metadata_dir} has no trusted root", remedy="Begin with `topscoop edge update-client … init`."
        )
    return client(metadata_dir, metadata_url, SourceFetcher(source), None)


def _words(error: Exception) -> str:
    return f"the repository was refused: {error or type(error).__name__}"
