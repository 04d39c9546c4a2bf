"""A chain's champion in the database, and its network from the chain's repository, checked before it runs."""

import json
from typing import Any, Final

from sqlalchemy import case, func, select

from cloud.database.engine import Database
from cloud.database.schema import releases, repositories
from cloud.recommender.errors import UnusableModel
from cloud.recommender.values import Champion
from cloud.releases.errors import FileMissing
from cloud.releases.ports import ReleaseFiles
from inference import FlavourModel, Manifest
from inference.errors import ModelError
from inference.loading import load_bytes

_PIECE_BYTES: Final = 4_000_000
_REMEDY: Final = "Look at the release with `topscoop cloud releases list`; withdraw it, and publish another."


class ReleaseModels:
    """What `WarmModels` looks up and loads.

    Args:
        database: Of the cloud; rows of releases come from verified metadata alone.
        files: The repositories.
    """

    def __init__(self, database: Database, files: ReleaseFiles) -> None:
        self._database = database
        self._files = files

    def look_up(self, tenant: str) -> Champion | None:
        """The champion that the chain's keys named; else the newest release that may be used.

        A release may be used that is listed, not withdrawn, and not below the chain's minimum.

        Raises:
            DatabaseAway: Not known now.
        """
        row, chain = releases.c, repositories.c
        named = case((row.release == chain.champion, 1), else_=0)
        statement = (
            select(row.release, row.version, row.digest, row.target, row.bytes)
            .join_from(repositories, releases, row.tenant == chain.tenant)
            .where(
                chain.tenant == tenant,
                row.withdrawn_at_ms.is_(None),
                row.release >= func.coalesce(chain.minimum_release, 0),
            )
            .order_by(named.desc(), row.release.desc())
            .limit(1)
        )
        with self._database.tenant(tenant, read_only=True) as connection:
            found = connection.execute(statement).one_or_none()
        if found is None:
            return None
        folder, _, name = found.target.rpartition("/")
        path = f"targets/{folder}/{found.digest}.{name}"
        return Champion(tenant, found.release, found.version, found.digest, path, found.bytes)

    def load(self, champion: Champion) -> FlavourModel:
        """Fetch, check and load a network, and run it once.

        Raises:
            UnusableModel: It is not what was signed, or does not load.
            ReleasesAway: The store does not answer.
            ReleasesRefused: It refuses us.
            DatabaseAway: Its manifest cannot be read now.
        """
        try:
            manifest = Manifest.from_json(json.dumps(self._manifest(champion)).encode())
            data = self._network(champion)
            if manifest.model.sha256 != champion.digest:
                raise UnusableModel(f"{_words(champion)}: its manifest is of another network", remedy=_REMEDY)
            model = FlavourModel(load_bytes(manifest, data))
            model.warm_up()
        except (ModelError, FileMissing) as error:
            raise UnusableModel(f"{_words(champion)} cannot be used: {error}", remedy=_REMEDY) from error
        return model

    def _manifest(self, champion: Champion) -> Any:
        row = releases.c
        statement = select(row.manifest).where(row.tenant == champion.tenant, row.release == champion.release)
        with self._database.tenant(champion.tenant, read_only=True) as connection:
            return connection.execute(statement).scalar_one()

    def _network(self, champion: Champion) -> bytes:
        pieces = bytearray()
        while len(pieces) < champion.size:
            length = min(_PIECE_BYTES, champion.size - len(pieces))
            piece = self._files.get(champion.tenant, champion.path, len(pieces), length)
            if not piece.data:
                break  # shorter than it was signed: the digest will say so
            pieces += piece.data
        return bytes(pieces)


def _words(champion: Champion) -> str:
    return f"release {champion.release} of {champion.tenant}"
