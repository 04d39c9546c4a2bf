"""What every vault of consent keys promises: in memory, in SQLite, in PostgreSQL."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from cloud.operations.setup import prepare_database
from cloud.privacy.adapters import sql_key_vault
from cloud.privacy.adapters.file_master_key import FileMasterKey
from cloud.privacy.adapters.sql_key_vault import SqlKeyVault
from cloud.privacy.errors import KeyGone
from cloud.privacy.key_schema import KEYS
from cloud.privacy.memory_key_vault import MemoryKeyVault
from cloud.privacy.ports import KeyVault
from wire_protocol.sealing import SealBroken, seal, unseal

NOW_MS = 1_795_000_000_000
DAY_MS = 86_400_000


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KeyVault]:
    if request.param == "memory":
        yield MemoryKeyVault()
        return
    url = f"sqlite:///{tmp_path}/keys.sqlite3"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_database").owner_url
    prepare_database(url, None, KEYS)
    sql = SqlKeyVault(url, FileMasterKey(tmp_path / "master.key"))
    yield sql
    sql.close()


def test_what_is_sealed_to_an_issued_key_opens_for_its_tenant_alone(vault: KeyVault) -> None:
    key, other = vault.issue("nord", "till-1", 2, NOW_MS, NOW_MS + DAY_MS)
    sealed = seal(b"picture", key.public_key, b"info")
    assert vault.unseal("nord", key.blank, sealed, b"info") == b"picture"
    with pytest.raises(SealBroken):
        vault.unseal("nord", other.blank, sealed, b"info")
    with pytest.raises(SealBroken):
        vault.unseal("nord", key.blank, sealed, b"other info")
    with pytest.raises(KeyGone):
        vault.unseal("sued", key.blank, sealed, b"info")


def test_a_destroyed_key_opens_nothing_and_destroying_it_again_is_no_error(vault: KeyVault) -> None:
    """T25: after destruction nobody opens what was sealed; the neighbours still open."""
    gone, kept = vault.issue("nord", "till-1", 2, NOW_MS, NOW_MS + DAY_MS)
    sealed = {key.blank: seal(b"picture", key.public_key, b"info") for key in (gone, kept)}
    for _ in range(2):
        vault.destroy("nord", [gone.blank, bytes(16)])
    with pytest.raises(KeyGone):
        vault.unseal("nord", gone.blank, sealed[gone.blank], b"info")
    assert vault.unseal("nord", kept.blank, sealed[kept.blank], b"info") == b"picture"
    assert vault.live("nord", "till-1", 0) == [kept.blank]
    assert vault.register_of("nord", gone.blank) == "till-1", "the register is still to be told"


@pytest.mark.parametrize("backend", ["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def test_an_opening_is_wholly_before_or_wholly_after_a_destruction(
    backend: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T25: while a frame is being opened, its key's destruction waits, and is not reported as done."""
    url = f"sqlite:///{tmp_path}/keys.sqlite3"
    if backend == "postgres":
        url = request.getfixturevalue("postgres_database").owner_url
    prepare_database(url, None, KEYS)
    vault = SqlKeyVault(url, FileMasterKey(tmp_path / "master.key"))
    (key,) = vault.issue("nord", "till-1", 1, NOW_MS, NOW_MS + DAY_MS)
    sealed = seal(b"picture", key.public_key, b"info")
    opening, may_go_on, order = threading.Event(), threading.Event(), []

    def slow(data: bytes, private: bytes, info: bytes) -> bytes:
        opening.set()
        assert may_go_on.wait(30)
        order.append("opened")
        return unseal(data, private, info)

    def destroy() -> None:
        assert opening.wait(30)
        vault.destroy("nord", [key.blank])
        order.append("destroyed")

    monkeypatch.setattr(sql_key_vault, "unseal", slow)
    with ThreadPoolExecutor(2) as pool:
        opened = pool.submit(vault.unseal, "nord", key.blank, sealed, b"info")
        destroyed = pool.submit(destroy)
        # The order alone is judged; a pause gives a destruction that does not wait its chance.
        wait([destroyed], timeout=0.3)
        may_go_on.set()
        assert opened.result(30) == b"picture"
        destroyed.result(30)
    assert order == ["opened", "destroyed"]
    with pytest.raises(KeyGone):
        vault.unseal("nord", key.blank, sealed, b"info")
    vault.close()


def test_destroying_for_one_tenant_leaves_the_others_alone(vault: KeyVault) -> None:
    (key,) = vault.issue("nord", "till-1", 1, NOW_MS, NOW_MS + DAY_MS)
    vault.destroy("sued", [key.blank])
    vault.destroy("nord", [])
    assert vault.live("nord", "till-1", 0) == [key.blank]


def test_live_keys_are_those_of_one_register_since_a_time(vault: KeyVault) -> None:
    (old,) = vault.issue("nord", "till-1", 1, NOW_MS - 5, NOW_MS + DAY_MS)
    (new,) = vault.issue("nord", "till-1", 1, NOW_MS, NOW_MS + DAY_MS)
    vault.issue("nord", "till-2", 1, NOW_MS, NOW_MS + DAY_MS)
    assert vault.issue("nord", "till-1", 0, NOW_MS, NOW_MS + DAY_MS) == []
    assert set(vault.live("nord", "till-1", 0)) == {old.blank, new.blank}
    assert vault.live("nord", "till-1", NOW_MS) == [new.blank]
    assert vault.live("sued", "till-1", 0) == []


def test_ended_are_those_whose_time_is_over_and_that_were_not_used(vault: KeyVault) -> None:
    (early,) = vault.issue("nord", "till-1", 1, NOW_MS, NOW_MS + 10)
    (late,) = vault.issue("nord", "till-1", 1, NOW_MS, NOW_MS + 20)
    assert vault.ended("nord", NOW_MS + 9, 5) == []
    assert vault.ended("nord", NOW_MS + 20, 5) == [early.blank, late.blank]
    assert vault.ended("nord", NOW_MS + 20, 1) == [early.blank]
    vault.mark_used("nord", [early.blank, bytes(16)])
    vault.mark_used("nord", [])
    assert vault.ended("nord", NOW_MS + 20, 5) == [late.blank]
    vault.destroy("nord", [late.blank])
    assert vault.ended("nord", NOW_MS + 20, 5) == []
    assert vault.live("nord", "till-1", 0) == [early.blank], "a used key lives on"


def test_rows_of_destroyed_keys_are_forgotten_at_the_end_of_their_time(vault: KeyVault) -> None:
    gone, kept = vault.issue("nord", "till-1", 2, NOW_MS, NOW_MS + 10)
    vault.destroy("nord", [gone.blank])
    assert vault.forget("nord", NOW_MS + 9) == 0
    assert vault.forget("sued", NOW_MS + 10) == 0
    assert vault.forget("nord", NOW_MS + 10) == 1
    assert vault.register_of("nord", gone.blank) is None
    assert vault.live("nord", "till-1", 0) == [kept.blank]


def test_nobody_knows_the_register_of_a_blank_that_was_never_issued(vault: KeyVault) -> None:
    assert vault.register_of("nord", bytes(16)) is None
