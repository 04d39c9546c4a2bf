"""The root that belief begins with."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from cloud.database.schema import audit
from cloud.database.tenancy import trusted_root
from cloud.errors import UnknownTenant
from cloud.releases.adapters.folder_files import FolderFiles
from cloud.releases.errors import AlreadyTrusted, BadRoot
from cloud.releases.look import look
from cloud.releases.trust import read_root, trust_root
from tests.builders.cloud_database import NOW_MS, add_tenants, sqlite_database
from tests.builders.release_repository import ReleaseRepository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cloud.database.engine import Database

TENANT = "gelateria-sole"
ADA = "operator:ada"


@pytest.fixture
def repository(tmp_path: Path) -> ReleaseRepository:
    return ReleaseRepository(tmp_path / "store")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with sqlite_database(tmp_path) as made:
        add_tenants(made, TENANT)
        yield made


def _trusted(database: Database) -> bytes | None:
    with database.tenant(TENANT, read_only=True) as connection:
        return trusted_root(connection, TENANT)


def test_a_root_is_read_in_what_people_compare(repository: ReleaseRepository) -> None:
    """How many keys, of which how many must sign, until when, its SHA-256."""
    root = read_root(repository.first_root)
    assert (root.version, root.keys, root.threshold) == (1, 3, 2)
    assert root.sha256 == hashlib.sha256(repository.first_root).hexdigest()
    assert root.expires_at_ms == int(repository.expiry("root").timestamp() * 1000)


def test_it_is_trusted_once_and_audited(database: Database, repository: ReleaseRepository) -> None:
    """Saying it again changes nothing."""
    for _ in range(2):
        trust_root(database, TENANT, repository.first_root, NOW_MS, actor=ADA)
    assert _trusted(database) == repository.first_root
    with database.tenant(TENANT, read_only=True) as connection:
        found = connection.execute(select(audit.c.actor, audit.c.detail)).all()
    assert [(row.actor, row.detail["replaced"]) for row in found] == [(ADA, False)]


def test_another_root_is_refused_unless_it_is_meant(
    database: Database, repository: ReleaseRepository, tmp_path: Path
) -> None:
    """T9: and then what was seen under the other is forgotten, but releases keep their networks."""
    repository.add_release(1)
    trust_root(database, TENANT, repository.first_root, NOW_MS, actor=ADA)
    look(database, FolderFiles(repository.store), TENANT, NOW_MS)
    other = ReleaseRepository(tmp_path / "other")
    with pytest.raises(AlreadyTrusted) as refused:
        trust_root(database, TENANT, other.first_root, NOW_MS, actor=ADA)
    assert "--replace" in refused.value.remedy
    assert _trusted(database) == repository.first_root
    trust_root(database, TENANT, other.first_root, NOW_MS, actor=ADA, replace=True)
    assert _trusted(database) == other.first_root
    found = look(database, FolderFiles(other.store), TENANT, NOW_MS)
    assert (found.problem, found.withdrawn) == (None, (1,))


def test_a_file_that_is_no_signed_root_is_refused(database: Database, repository: ReleaseRepository) -> None:
    """T9: other metadata, too few signatures, a changed byte, junk; nothing is trusted then."""
    repository.roles["root"].signatures.clear()
    repository.roles["root"].sign(repository.signers["root"][0], append=True)
    one_signature = repository.roles["root"].to_bytes()
    for content in (
        (repository.folder / "metadata" / "timestamp.json").read_bytes(),
        repository.sign("root", with_keys_of="targets"),
        one_signature,
        repository.first_root.replace(b'"version":1', b'"version":2'),
        b"",
        b"{}",
        b"[]",
        b"\0" * 100,
        repository.first_root + b" " * 100_000,
    ):
        with pytest.raises(BadRoot):
            trust_root(database, TENANT, content, NOW_MS, actor=ADA)
    assert _trusted(database) is None


def test_a_chain_that_is_not_there_trusts_nothing(database: Database, repository: ReleaseRepository) -> None:
    """A typing mistake makes no row."""
    with pytest.raises(UnknownTenant):
        trust_root(database, "gelato", repository.first_root, NOW_MS, actor=ADA)


def test_what_is_read_has_no_bytes(repository: ReleaseRepository) -> None:
    """It can be printed as JSON."""
    assert all(
        isinstance(value, int | str) for value in dataclasses.astuple(read_root(repository.first_root))
    )
