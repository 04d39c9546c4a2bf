from pathlib import Path

import pytest

from daemon.errors import ConfigError
from edge_agent.adapters import config_sources
from edge_agent.adapters.config_sources import load_config

MINIMAL = 'tenant = "gelateria-sole"\nstore = "rimini"\nregister = "till-1"\n'


def test_each_value_knows_where_it_comes_from(tmp_path: Path) -> None:
    file = tmp_path / "edge.toml"
    file.write_text(MINIMAL + "[api]\nport = 1\n")
    loaded = load_config(file, {"TOPSCOOP_EDGE_API_HOST": "::1", "HOME": "/root"})
    assert loaded.file == file
    assert loaded.origins["api.port"] == str(file)
    assert loaded.origins["api.host"] == "TOPSCOOP_EDGE_API_HOST"
    assert loaded.origins["log.level"] == "default"


def test_paths_in_a_file_are_relative_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those in a variable are relative to where the agent was started, as for any program."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "edge.toml").write_text(MINIMAL + 'data_dir = "../data"\nmodel_dir = "/m"\n')
    monkeypatch.chdir(tmp_path)
    loaded = load_config("etc/edge.toml", {"TOPSCOOP_EDGE_API_UNIX_SOCKET": "api.sock"})
    assert loaded.config.data_dir == tmp_path / "etc" / ".." / "data"
    assert loaded.config.model_dir == Path("/m")
    assert loaded.config.api.unix_socket == Path("api.sock")


def test_variables_alone_are_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_sources, "DEFAULT_FILE", tmp_path / "none.toml")
    variables = {f"TOPSCOOP_EDGE_{name}": "a" for name in ("TENANT", "STORE", "REGISTER")}
    assert load_config(None, variables).config.tenant == "a"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"tenant = ", "not TOML"),
        (b"tenant = gelateria", "not TOML"),
        (b"\xff\xfe", "not TOML"),
        (b"#" * (1 << 20) + b"\n", "larger than 1 MiB"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "edge.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=message) as refusal:
        load_config(file, {})
    assert str(file) in str(refusal.value)
    assert refusal.value.remedy


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "no.toml", tmp_path):
        with pytest.raises(ConfigError, match=str(path)):
            load_config(path, {})
