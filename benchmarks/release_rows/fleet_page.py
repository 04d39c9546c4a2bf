"""The console's fleet page over ten thousand registers: a real console, real databases, one browser."""

import contextlib
import json
import re
import shutil
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.http_client import HttpError, KeepAlive, build_request
from benchmarks.measure import spread
from benchmarks.processes import cpu_seconds, running, wait_until
from benchmarks.release_stack import load
from benchmarks.setting import ROOT, Outcome, Setting
from benchmarks.verdict import Figure, Goal
from cloud.console.adapters.operators import put_operator
from cloud.console.adapters.sessions import Sessions
from cloud.console.cookies import CookieNames
from cloud.database.engine import Database, open_database
from cloud.database.schema_version import CLOUD
from cloud.operations.setup import prepare_database
from cloud.principal import Role
from tests.builders.cloud_database import add_tenants, service_url
from tests.builders.fleet_rows import add_fleet, add_releases
from tests.builders.postgres import PostgresCluster

_REGISTERS = 10_000
_GOAL_MS = 100.0
_TENANT = "bench"
_ISSUER = "http://localhost:1"
_HOUR_MS = 3_600_000
_PAUSE_S = 0.3
"""Between two pages. The chain's figures are kept for two seconds: one page in seven reads them anew, and so
p95 is that of a page that does."""
_TIMEOUT_S = 60.0
_PORT = re.compile(rb"port (\d+),")
VARIANTS = {
    "first page": "",
    "search": "?q=till-07",
    "search without a hit": "?q=nobody",
    "store": "?store=store-0042",
    "state": "?state=offline",
    "attention": "?attention=any",
    "release": "?release=7",
    "by p99": "?sort=-p99",
    "by time of report": "?sort=seen",
    "everything at once": "?q=till&state=online&release=8&sort=-spool",
}


@dataclass(frozen=True, slots=True)
class _Place:
    """A database; `pid` is its server's, where it has one."""

    url: str
    pid: int | None = None


def fleet_page(setting: Setting) -> Outcome:
    """Each database with a console of its own; the variants of the page in turns."""
    outcome, busy = Outcome(), load()
    databases: list[tuple[str, contextlib.AbstractContextManager[_Place]]] = [("SQLite", _sqlite(setting))]
    if Path("/usr/lib/postgresql").exists() or shutil.which("initdb"):
        databases.append(("PostgreSQL", _postgres()))
    for name, opened in databases:
        with opened as place:
            setting.say(f"{name}: {_REGISTERS} registers")
            cookie = _fill(place.url)
            with _console(setting, name.lower(), place.url) as (port, pid):
                pids = [pid] if place.pid is None else [pid, place.pid]
                before_s = sum(map(cpu_seconds, pids))
                timings = _browse(port, cookie, setting.count(30, 3))
                cpu_ms = 1e3 * (sum(map(cpu_seconds, pids)) - before_s)
        _tell(outcome, name, timings, busy)
        pages = sum(map(len, timings.values())) + len(timings)
        outcome.figures.append(
            Figure("  processor time a page, console and database: mean", cpu_ms / pages, "ms")
        )
    if len(databases) == 1:
        outcome.figures.append(
            Figure("fleet page, PostgreSQL: p95", None, note="PostgreSQL is not installed")
        )
    return outcome


def _tell(outcome: Outcome, name: str, timings: dict[str, list[float]], busy: str) -> None:
    by_variant = {variant: spread(samples) for variant, samples in timings.items()}
    everything = [sample for samples in timings.values() for sample in samples]
    whole, p95 = spread(everything), _p95(everything)
    slowest = max(timings, key=lambda variant: _p95(timings[variant]))
    note = f"p50 {whole.p50:.0f} ms, worst {whole.worst:.0f}; slowest variant: {slowest}; {busy}"
    outcome.figures.append(
        Figure(f"fleet page, {_REGISTERS} registers, {name}: p95", p95, "ms", Goal(_GOAL_MS), note)
    )
    outcome.figures += [
        Figure(f"  {variant}: p95", _p95(samples), "ms", note=f"p50 {by_variant[variant].p50:.0f} ms")
        for variant, samples in timings.items()
    ]
    outcome.details[name] = {variant: one.as_json() for variant, one in by_variant.items()} | {"load": busy}


def _p95(samples: Sequence[float]) -> float:
    ordered = sorted(samples)
    return ordered[-(-95 * len(ordered) // 100) - 1]


def _browse(port: int, cookie: str, rounds: int) -> dict[str, list[float]]:
    """Milliseconds from the request to the page's last byte, by variant."""
    headers = {"Cookie": f"{CookieNames(secure=False).session}={cookie}", "Accept": "text/html"}
    timings: dict[str, list[float]] = {name: [] for name in VARIANTS}
    with KeepAlive("127.0.0.1", port) as browser:
        for number in range(rounds + 1):
            for name, query in VARIANTS.items():
                request = build_request(
                    "GET", f"/fleet{query}", host=f"localhost:{port}", body=b"", headers=headers
                )
                begun = time.perf_counter()
                status, page = browser.exchange(request)
                took_ms = 1e3 * (time.perf_counter() - begun)
                if status != 200 or (b"<table" not in page and name != "search without a hit"):
                    raise HttpError(f"{query}: {status} {page[:200].decode(errors='replace')}")
                if number:  # the first round is for warming up
                    timings[name].append(took_ms)
                time.sleep(_PAUSE_S)
    return timings


def _fill(url: str) -> str:
    """A chain with a fleet, and somebody who is logged in: the cookie."""
    now_ms = time.time_ns() // 1_000_000
    with open_database(url) as database:
        add_tenants(database, _TENANT)
        add_releases(database, _TENANT, now_ms, 6, 7, 8)
        add_fleet(database, _TENANT, now_ms, _REGISTERS)
        return _log_in(database, now_ms)


def _log_in(database: Database, now_ms: int) -> str:
    with database.tenant(_TENANT) as connection:
        operator = put_operator(
            connection,
            _TENANT,
            now_ms,
            issuer=_ISSUER,
            subject="anna",
            name="Anna",
            role=Role.OPERATOR,
            actor="benchmark",
        )
    return Sessions(database, 12 * _HOUR_MS, _HOUR_MS, lambda: now_ms).open(operator).text()


@contextlib.contextmanager
def _sqlite(setting: Setting) -> Iterator[_Place]:
    folder = setting.work_dir / "fleet-sqlite"
    folder.mkdir()
    url = f"sqlite:///{folder}/cloud.sqlite3"
    prepare_database(url, None, CLOUD)
    yield _Place(url)


@contextlib.contextmanager
def _postgres() -> Iterator[_Place]:
    with PostgresCluster() as cluster, cluster.fresh_database() as made:
        url = service_url(made)
        prepare_database(url, made.owner_url, CLOUD)
        yield _Place(url, cluster.pid)


@contextlib.contextmanager
def _console(setting: Setting, name: str, database_url: str) -> Iterator[tuple[int, int]]:
    """`topscoop cloud console run`; its port and process."""
    folder = setting.work_dir / f"console-{name}"
    folder.mkdir()
    config, log = folder / "cloud.toml", folder / "log"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    config.write_text(
        f"""environment = "development"
state_dir = {json.dumps(str(folder))}
database_url = {json.dumps(database_url)}
[console]
port = {port}
health_port = 0
public_url = "http://localhost:{port}"
oidc_issuer = "{_ISSUER}"
oidc_client_secret = "benchmark"
""",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "topscoop", "cloud", "console", "run", "--config", str(config)]
    with running(command, log=log, cwd=ROOT) as process:
        wait_until(
            lambda: _PORT.search(log.read_bytes()),
            process=process,
            log=log,
            timeout_s=_TIMEOUT_S,
            what="console",
        )
        yield port, process.pid
