"""The catalogue of a chain: the flavours of the model that recommends for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, func, select

from cloud.database.schema import releases, repositories

_row = releases.c


@dataclass(frozen=True, slots=True)
class Menu:
    """The flavours of one release.

    Attributes:
        flavours: By id: the name by language, English always, and the colour. In the order of the model.
    """

    release: int
    version: str
    flavours: Mapping[str, Mapping[str, Any]]


def read_menu(connection: Connection, tenant: str) -> Menu | None:
    """The menu of the chain's champion, else of its newest release that may be used; None without any."""
    champion = select(repositories.c.champion).where(repositories.c.tenant == tenant).scalar_subquery()
    minimum = select(repositories.c.minimum_release).where(repositories.c.tenant == tenant).scalar_subquery()
    statement = (
        select(_row.release, _row.version, _row.manifest)
        .where(
            _row.tenant == tenant,
            _row.withdrawn_at_ms.is_(None),
            _row.release >= func.coalesce(minimum, 0),
        )
        .order_by(case((_row.release == champion, 0), else_=1), _row.release.desc())
        .limit(1)
    )
    found = connection.execute(statement).one_or_none()
    if found is None:
        return None
    return Menu(found.release, found.version, _flavours(found.manifest))


def known_flavours(connection: Connection, tenant: str, release: int | None) -> set[str]:
    """The ids that the chain's menu has, and those of the release that recommended, withdrawn or not."""
    menu = read_menu(connection, tenant)
    known = set() if menu is None else set(menu.flavours)
    if release is not None and (menu is None or menu.release != release):
        statement = select(_row.manifest).where(_row.tenant == tenant, _row.release == release)
        for manifest in connection.execute(statement).scalars():
            known |= set(_flavours(manifest))
    return known


def _flavours(manifest: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    # Written from verified metadata alone (`cloud.releases`), where the manifest was parsed strictly.
    return {one["id"]: one for one in manifest["flavours"]}
