from pathlib import Path

from edge_agent.adapters.uplink.disk_reserve import DiskReserve


def test_it_takes_real_blocks_and_gives_them_back(tmp_path: Path) -> None:
    """Not a hole: the disk has to have them."""
    path = tmp_path / "reserve"
    reserve = DiskReserve(path, 100_000)
    assert reserve.keep()
    assert (path.stat().st_size, path.stat().st_blocks * 512 >= 100_000) == (100_000, True)
    assert reserve.give_up()
    assert not path.exists()
    assert not reserve.give_up()


def test_keeping_it_again_changes_nothing(tmp_path: Path) -> None:
    reserve = DiskReserve(tmp_path / "reserve", 100_000)
    assert reserve.keep()
    before = (tmp_path / "reserve").stat().st_mtime_ns
    assert reserve.keep()
    assert (tmp_path / "reserve").stat().st_mtime_ns == before


def test_where_there_is_no_room_there_is_no_reserve(tmp_path: Path) -> None:
    """Neither a half one, nor an error."""
    reserve = DiskReserve(tmp_path / "reserve", 1 << 60)
    assert not reserve.keep()
    assert not (tmp_path / "reserve").exists()
    assert not DiskReserve(tmp_path / "no folder" / "reserve").keep()
