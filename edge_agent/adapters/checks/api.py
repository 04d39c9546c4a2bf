"""The address of the local API: free, or taken by this very agent."""

import fcntl
from pathlib import Path

from daemon.errors import ConfigError
from edge_agent.adapters.http.listening import bind_tcp
from edge_agent.checkup import Finding, Verdict
from edge_agent.config import EdgeConfig
from edge_agent.errors import PortBusyError


def check_api(config: EdgeConfig) -> Finding:
    """Bind for a moment."""
    address = f"{config.api.host} port {config.api.port}"
    try:
        bind_tcp(config.api).close()
    except PortBusyError as error:
        if agent_runs(config.data_dir):
            return Finding("api", Verdict.OK, f"the agent is running on {address}")
        return Finding("api", Verdict.FAILED, str(error), error.remedy)
    except ConfigError as error:
        return Finding("api", Verdict.FAILED, str(error), error.remedy)
    free = "any free port" if config.api.port == 0 else f"{address} is free"
    return Finding("api", Verdict.OK, free)


def agent_runs(data_dir: Path) -> bool:
    """Whether a process holds the data folder's lock; asks without making or keeping anything."""
    try:
        with (data_dir / "agent.lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
