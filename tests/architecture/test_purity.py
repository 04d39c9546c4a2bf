"""Invariant 9: pure files read no clock, socket, file or environment."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_PACKAGES = ("wire_protocol", "inference", "daemon", "api_client", "edge_agent", "cloud")
_WORLD = {
    "asyncio", "http", "os", "random", "secrets", "select", "selectors", "shutil", "signal", "socket",
    "sqlite3", "subprocess", "tempfile", "threading", "time", "urllib",
    "boto3", "botocore", "fastapi", "obstore", "onnxruntime", "paho", "prometheus_client", "psycopg",
    "sqlite_utils", "ssl", "starlette", "uvicorn", "uvloop",
}  # fmt: skip
_CLOCKS = {"now", "utcnow", "today"}

# Shells: files whose business is the world. Whatever is not listed here is pure.
_SHELLS = {
    "inference/__init__.py": "keeps ONNX Runtime from reporting to its maker",
    "inference/golden.py": "reads the golden pictures of a model directory",
    "inference/model.py": "runs the network and times it",
    "inference/loading.py": "reads the model's files",
    "inference/picture/pipe_process.py": "talks to the worker process",
    "inference/picture/read_file.py": "reads picture files",
    "inference/picture/decoder.py": "starts and limits the worker process",
    "inference/picture/worker.py": "is the worker process",
    "inference/cli.py": "a command",
    "api_client/chain.py": "asks the API",
    "api_client/logins.py": "reads and writes logins",
    "api_client/picture.py": "reads picture files",
    "api_client/transport.py": "sends requests",
    "api_client/uploads.py": "makes keys, and asks the API",
    "api_client/world.py": "is the world",
    "inference/default_models.py": "looks for folders",
    "cloud/broker/configuration.py": "writes the broker's files",
    "cloud/broker/control.py": "talks to the broker's plugin",
    "cloud/clock.py": "reads the clock",
    "cloud/collector/service.py": "is the process",
    "cloud/config_sources.py": "reads the environment",
    "daemon/event_log.py": "writes the log",
    "daemon/settings_file.py": "reads the file",
    "cloud/console/app.py": "serves HTTP",
    "cloud/console/charts/press.py": "starts the worker process",
    "cloud/console/charts/worker.py": "is the worker process",
    "cloud/console/desk.py": "finds what a request's process shares",
    "cloud/console/development_identity.py": "is a process",
    "cloud/console/failures.py": "serves HTTP",
    "cloud/console/headers.py": "serves HTTP",
    "cloud/console/live_hub.py": "waits between two looks",
    "cloud/console/live_pages.py": "matches addresses as the server does",
    "cloud/console/metrics.py": "counts requests",
    "cloud/console/recent.py": "is shared by threads",
    "cloud/console/rendering.py": "reads the templates",
    "cloud/console/scopes.py": "reads requests",
    "cloud/console/service.py": "is the process",
    "cloud/enrolment/files.py": "writes files",
    "cloud/enrolment/http_api.py": "serves HTTP",
    "cloud/enrolment/impatience.py": "ends connections after a time",
    "cloud/enrolment/pki_folder.py": "reads and writes certificates",
    "cloud/enrolment/registers.py": "makes codes",
    "cloud/enrolment/server.py": "is the process",
    "cloud/enrolment/set_up.py": "takes addresses apart",
    "cloud/health.py": "serves HTTP",
    "cloud/event_loop.py": "chooses the event loop",
    "cloud/http_server.py": "serves HTTP",
    "cloud/identity/code_flow.py": "makes unpredictable values",
    "cloud/identity/fetching.py": "asks identity providers",
    "cloud/identity/issuers.py": "is shared by threads",
    "cloud/identity/kept.py": "is shared by threads",
    "cloud/identity/provider.py": "believes the system's authorities",
    "cloud/identity/secret_files.py": "reads and writes secrets",
    "cloud/mqtt_client.py": "talks to the broker",
    "cloud/one_process.py": "is the process",
    "cloud/until_signal.py": "waits for a signal",
    "cloud/files/service.py": "is the process",
    "cloud/jobs/queue.py": "makes tokens",
    "cloud/intake/service.py": "is the process",
    "cloud/intake/set_up.py": "makes the bucket",
    "cloud/intake/webhook.py": "serves HTTP",
    "cloud/privacy/downlink.py": "makes message ids",
    "cloud/privacy/keeper_service.py": "is the process",
    "cloud/privacy/memory_key_vault.py": "makes keys",
    "cloud/public_api/day_quota.py": "is shared by threads",
    "cloud/public_api/tries.py": "is shared by threads",
    "cloud/public_api/answers.py": "wakes clients of several event loops",
    "cloud/public_api/app.py": "serves HTTP",
    "cloud/intake/promotion_composition.py": "runs the collector's entrance in a loop of its own",
    "cloud/public_api/composition.py": "hands the clock on",
    "cloud/public_api/desk.py": "finds what a request's process shares",
    "cloud/public_api/errands.py": "asks in threads",
    "cloud/public_api/failures.py": "serves HTTP",
    "cloud/public_api/front_door.py": "serves HTTP",
    "cloud/public_api/openapi.py": "asks FastAPI of its routes",
    "cloud/public_api/service.py": "is the process",
    "cloud/public_api/limits.py": "is shared by threads",
    "cloud/public_api/metrics.py": "counts requests",
    "cloud/public_api/request_ids.py": "reads requests",
    "cloud/public_api/tickets.py": "makes ids",
    "cloud/public_api/turnstile.py": "waits for turns",
    "cloud/public_api/pages/failure.py": "reads requests",
    "cloud/public_api/pages/rendering.py": "reads the templates",
    "cloud/public_api/scopes.py": "reads requests",
    "cloud/public_api/shared_reads.py": "reads in threads",
    "cloud/public_api/tenants.py": "reads requests",
    "cloud/recommender/service.py": "is the process",
    "cloud/releases/composition.py": "opens folder or bucket",
    "cloud/releases/verification.py": "lends python-tuf a folder",
    "cloud/rollout/service.py": "is the process",
    "cloud/service_keys.py": "reads and writes keys",
    "cloud/state_folder.py": "makes folders",
    "cloud/static_files.py": "answers requests for files",
}
_SHELL_FOLDERS = (
    "api_client/commands/",
    "api_client/generated/",
    "edge_agent/adapters/",
    "edge_agent/commands/",
    "edge_agent/updater/adapters/",
    "edge_agent/updater/process.py",
    "edge_agent/cli.py",
    "cloud/collector/adapters/",
    "cloud/console/adapters/",
    "cloud/console/pages/",
    "cloud/commands/",
    "cloud/database/",
    "cloud/objects/",
    "cloud/operations/",
    "cloud/files/adapters/",
    "cloud/intake/adapters/",
    "cloud/privacy/adapters/",
    "cloud/public_api/adapters/",
    "cloud/public_api/routes/",
    "cloud/recommender/adapters/",
    "cloud/releases/adapters/",
    "cloud/rollout/commands/",
)
_LOOPS = {"asyncio", "threading"}  # what loops and the agent may use beside pure code
_LOOP_FILES = (
    "_loop.py",
    "edge_agent/agent.py",
    "edge_agent/model_slot.py",
    "edge_agent/stock.py",
    "edge_agent/events.py",
    "edge_agent/memory_journal.py",
    "edge_agent/updates/book.py",
    "edge_agent/updates/errands.py",
    "cloud/collector/batches.py",
    "cloud/collector/in_flight.py",
    "cloud/files/lanes.py",
    "cloud/intake/hearing.py",
    "cloud/public_api/waiting.py",
    "cloud/recommender/warm_models.py",
    "cloud/releases/cached_files.py",
    "cloud/releases/loop.py",
    "cloud/outage_log.py",
)


def _pure_files() -> Iterator[Path]:
    for package in _PACKAGES:
        for path in sorted((_ROOT / package).rglob("*.py")):
            name = path.relative_to(_ROOT).as_posix()
            if name not in _SHELLS and not name.startswith(_SHELL_FOLDERS):
                yield path


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "urllib.parse":
            continue  # takes addresses apart and asks nobody
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("path", list(_pure_files()), ids=lambda p: p.relative_to(_ROOT).as_posix())
def test_pure_files_do_not_touch_the_world(path: Path) -> None:
    """No import of anything that reads a clock, a socket, a file or the environment."""
    tree = ast.parse(path.read_text("utf-8"))
    allowed = _LOOPS if path.as_posix().endswith(_LOOP_FILES) else set()
    assert not (set(_imports(tree)) & _WORLD) - allowed


@pytest.mark.parametrize("path", list(_pure_files()), ids=lambda p: p.relative_to(_ROOT).as_posix())
def test_pure_files_take_now_as_a_parameter(path: Path) -> None:
    """No `datetime.now()` and its kin, and no `open()`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in _CLOCKS, f"line {node.lineno}: {ast.unparse(node)}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "open", f"line {node.lineno}: {ast.unparse(node)}"


def test_the_list_of_shells_is_true() -> None:
    """A shell that is gone or moved leaves the list."""
    assert [name for name in _SHELLS if not (_ROOT / name).exists()] == []
