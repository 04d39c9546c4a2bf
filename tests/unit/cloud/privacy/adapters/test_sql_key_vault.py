"""What is particular to the vault in a database."""

import threading
from pathlib import Path

import pytest

from cloud.operations.setup import prepare_database
from cloud.privacy.adapters import sql_key_vault
from cloud.privacy.adapters.file_master_key import FileMasterKey
from cloud.privacy.adapters.sql_key_vault import SqlKeyVault
from cloud.privacy.errors import KeyGone, MasterKeyError
from cloud.privacy.key_schema import KEYS
from wire_protocol.sealing import seal

NOW_MS = 1_795_000_000_000
DAY_MS = 86_400_000


class _Counting(FileMasterKey):
    unwrapped = 0

    def unwrap(self, wrapped: bytes, tenant: str, day: str) -> bytes:
        type(self).unwrapped += 1
        return super().unwrap(wrapped, tenant, day)


def _vault(folder: Path, master: FileMasterKey | None = None) -> SqlKeyVault:
    url = f"sqlite:///{folder}/keys.sqlite3"
    prepare_database(url, None, KEYS)
    return SqlKeyVault(url, master or FileMasterKey(folder / "master.key"))


def test_day_keys_in_memory_are_bounded_and_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_key_vault, "DAY_KEYS_CACHED", 3)
    vault = _vault(tmp_path, _Counting(tmp_path / "master.key"))
    _Counting.unwrapped = 0
    keys = [vault.issue("nord", "till-1", 1, NOW_MS + day * DAY_MS, NOW_MS)[0] for day in range(5)]
    assert (_Counting.unwrapped, len(vault._days)) == (5, 3)
    for key in keys[2:]:
        vault.unseal("nord", key.blank, seal(b"x", key.public_key, b""), b"")
    assert _Counting.unwrapped == 5
    vault.unseal("nord", keys[0].blank, seal(b"x", keys[0].public_key, b""), b"")
    assert (_Counting.unwrapped, len(vault._days)) == (6, 3)
    vault.close()
    assert not vault._days


def test_two_keepers_make_one_key_of_the_day(tmp_path: Path) -> None:
    master = FileMasterKey(tmp_path / "master.key")
    vaults = [_vault(tmp_path, master) for _ in range(4)]
    keys = []
    threads = [
        threading.Thread(
            target=lambda vault=vault: keys.extend(vault.issue("nord", "till-1", 2, NOW_MS, NOW_MS))
        )
        for vault in vaults
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    for key in keys:
        for vault in vaults:
            assert vault.unseal("nord", key.blank, seal(b"x", key.public_key, b""), b"") == b"x"
    for vault in vaults:
        vault.close()


def test_a_lost_day_key_is_said_and_not_made_anew(tmp_path: Path) -> None:
    """A new one would open nothing, and hide that the database is damaged."""
    vault = _vault(tmp_path)
    (key,) = vault.issue("nord", "till-1", 1, NOW_MS, NOW_MS)
    vault._days.clear()
    with vault.database.tenant("nord") as connection:
        connection.exec_driver_sql("DELETE FROM day_keys")
    with pytest.raises(MasterKeyError, match="is missing"):
        vault.unseal("nord", key.blank, seal(b"x", key.public_key, b""), b"")
    vault.close()


def test_rows_of_destroyed_keys_go_at_the_end_of_their_time_and_day_keys_with_them(tmp_path: Path) -> None:
    vault = _vault(tmp_path)
    gone, kept = vault.issue("nord", "till-1", 2, NOW_MS, NOW_MS + 2 * DAY_MS)
    vault.destroy("nord", [gone.blank])
    assert vault.forget("nord", NOW_MS + DAY_MS) == 0
    assert vault.forget("nord", NOW_MS + 2 * DAY_MS) == 1
    assert vault.register_of("nord", gone.blank) is None
    assert vault.unseal("nord", kept.blank, seal(b"x", kept.public_key, b""), b"") == b"x"
    vault.destroy("nord", [kept.blank])
    assert vault.forget("nord", NOW_MS + 3 * DAY_MS) == 1
    with vault.database.tenant("nord", read_only=True) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM day_keys").scalar() == 0
    with pytest.raises(KeyGone):
        vault.unseal("nord", kept.blank, bytes(60), b"")
    vault.close()
