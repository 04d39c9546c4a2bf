import socket
from pathlib import Path

from edge_agent.adapters.checks.api import agent_runs, check_api
from edge_agent.adapters.data_folder import DataFolder
from edge_agent.adapters.randomness import system_randomness
from edge_agent.checkup import Verdict
from edge_agent.config import ApiConfig, EdgeConfig


def config(data_dir: Path, port: int) -> EdgeConfig:
    return EdgeConfig(
        tenant="gelateria-sole", store="s", register="r", data_dir=data_dir, api=ApiConfig(port=port)
    )


def test_a_free_port_is_good(tmp_path: Path) -> None:
    assert check_api(config(tmp_path, 0)).verdict is Verdict.OK


def test_a_port_of_another_program_is_a_failure_and_one_of_the_running_agent_is_not(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        finding = check_api(config(tmp_path, port))
        assert finding.verdict is Verdict.FAILED
        assert finding.remedy
        with DataFolder(tmp_path, system_randomness):
            assert check_api(config(tmp_path, port)).verdict is Verdict.OK


def test_asking_whether_an_agent_runs_leaves_no_file(tmp_path: Path) -> None:
    assert not agent_runs(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with DataFolder(tmp_path, system_randomness):
        assert agent_runs(tmp_path)
    assert not agent_runs(tmp_path)
