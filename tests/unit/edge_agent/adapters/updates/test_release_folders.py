"""Folders of releases."""

from pathlib import Path

from edge_agent.adapters.updates.release_folders import ReleaseFolders


def test_all_but_what_is_kept_goes(tmp_path: Path) -> None:
    """A folder that was never made is empty."""
    folders = ReleaseFolders(tmp_path / "releases")
    folders.clear(())
    for name in ("1-a", "2-b", "3-c"):
        folders.path(name).mkdir(parents=True)
        (folders.path(name) / "model.onnx").write_bytes(b"x")
    folders.clear(("2-b",))
    assert [path.name for path in (tmp_path / "releases").iterdir()] == ["2-b"]
    assert (folders.path("2-b") / "model.onnx").read_bytes() == b"x"


def test_what_cannot_be_removed_is_left(tmp_path: Path) -> None:
    """It is told, and no trouble."""
    (tmp_path / "releases").mkdir()
    (tmp_path / "releases" / "file").write_text("no folder")
    ReleaseFolders(tmp_path / "releases").clear(())
    assert (tmp_path / "releases" / "file").exists()
