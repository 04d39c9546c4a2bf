"""The development's master key: one file, made once, for its owner alone."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cloud.privacy.adapters.file_master_key import FileMasterKey
from cloud.privacy.errors import MasterKeyError

KEY = bytes(range(32))


def test_what_it_wraps_it_unwraps_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "master.key"
    wrapped = FileMasterKey(path).wrap(KEY, "nord", "2026-11-22")
    assert KEY not in wrapped
    assert FileMasterKey(path).unwrap(wrapped, "nord", "2026-11-22") == KEY
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["master.key"]


def test_another_tenant_day_or_master_key_is_refused(tmp_path: Path) -> None:
    master = FileMasterKey(tmp_path / "a")
    wrapped = master.wrap(KEY, "nord", "2026-11-22")
    for other, tenant, day in (
        (master, "sued", "2026-11-22"),
        (master, "nord", "2026-11-23"),
        (FileMasterKey(tmp_path / "b"), "nord", "2026-11-22"),
    ):
        with pytest.raises(MasterKeyError) as refused:
            other.unwrap(wrapped, tenant, day)
        assert refused.value.remedy


def test_a_file_that_others_may_read_or_that_is_no_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    FileMasterKey(path)
    path.chmod(0o640)
    with pytest.raises(MasterKeyError, match="others may read"):
        FileMasterKey(path)
    path.chmod(0o600)
    for content in ("", "not hexadecimal", "00" * 31):
        path.write_text(content)
        with pytest.raises(MasterKeyError, match="no master key"):
            FileMasterKey(path)


def test_processes_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        masters = list(pool.map(lambda _: FileMasterKey(tmp_path / "master.key"), range(8)))
    wrapped = masters[0].wrap(KEY, "nord", "2026-11-22")
    assert {master.unwrap(wrapped, "nord", "2026-11-22") for master in masters} == {KEY}
