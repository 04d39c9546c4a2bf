"""`topscoop cloud jobs list|show|retry|drop`: work that waits, and what was set aside."""

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloud.database.engine import Database
    from cloud.jobs.operators import Operator
    from cloud.jobs.values import JobRow


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `jobs` to `topscoop cloud`."""
    jobs = verbs.add_parser(
        "jobs", help="work that waits, and what was set aside", description="Look at jobs, try them again."
    )
    actions = jobs.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listing = actions.add_parser("list", help="list what waits", description="The oldest first.")
    listing.add_argument("--dead", action="store_true", help="only what was set aside")
    show = actions.add_parser("show", help="show one, with its upload's state", description="One job.")
    retry = actions.add_parser(
        "retry",
        help="try again at once",
        description="Try again at once, as long as the picture is there: it is kept for minutes.",
    )
    drop = actions.add_parser(
        "drop", help="clear away for good", description="Clear away; an upload that waited for it fails."
    )
    for parser in (show, retry, drop):
        parser.add_argument("job", type=_job_id, metavar="JOB", help="its id, as `list` shows it")
    for parser, run in ((listing, run_list), (show, run_show), (retry, run_retry), (drop, run_drop)):
        parser.add_argument("--tenant", required=True, metavar="TENANT", help="the chain")
        parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.set_defaults(run=run)


def run_list(args: argparse.Namespace) -> int:
    """List jobs."""
    from cloud.jobs.operators import list_jobs

    with _database(args) as database:
        found = list_jobs(database, args.tenant, dead_only=args.dead)
    if args.json:
        print(json.dumps([_value(job) for job in found]))
        return 0
    for job in found:
        words = f"  {job.error}" if job.error else ""
        print(f"{job.job.hex()}  {job.state:<6}  attempt {job.attempts}  {_when(job.enqueued_at_ms)}{words}")
    if not found:
        print("nothing was set aside" if args.dead else "nothing waits")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Show one job."""
    from cloud.jobs.operators import show_job

    with _database(args) as database:
        job, upload = show_job(database, args.tenant, args.job)
    value = _value(job) | {"upload": dict(upload)}
    if args.json:
        print(json.dumps(value))
        return 0
    for name, one in (*_value(job).items(), *((f"upload {name}", one) for name, one in upload.items())):
        print(f"{name:<22}  {'-' if one is None else _when(one) if name.endswith('_ms') else one}")
    return 0


def run_retry(args: argparse.Namespace) -> int:
    """Try one again."""
    from cloud.jobs.operators import retry_job

    with _database(args) as database:
        retry_job(database, args.tenant, args.job, _operator())
    return _done(args, "is tried again at once")


def run_drop(args: argparse.Namespace) -> int:
    """Clear one away."""
    from cloud.jobs.operators import drop_job

    with _database(args) as database:
        drop_job(database, args.tenant, args.job, _operator())
    return _done(args, "is cleared away")


@contextmanager
def _database(args: argparse.Namespace) -> "Iterator[Database]":
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database

    with open_database(config_of(args).database_url) as database:
        database.check()
        yield database


def _operator() -> "Operator":
    import getpass

    from cloud.clock import now_ms
    from cloud.jobs.operators import Operator

    return Operator(f"operator:{getpass.getuser()}", now_ms())


def _done(args: argparse.Namespace, words: str) -> int:
    print(json.dumps({"job": args.job.hex()}) if args.json else f"{args.job.hex()} {words}")
    return 0


def _value(job: "JobRow") -> dict[str, Any]:
    return {
        "job": job.job.hex(),
        "queue": job.queue.value,
        "state": job.state.value,
        "attempts": job.attempts,
        "enqueued_at_ms": job.enqueued_at_ms,
        # Of what was set aside there is no next time.
        "ready_at_ms": None if job.state == "dead" else job.ready_at_ms,
        "error": job.error,
    }


def _when(at_ms: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _job_id(text: str) -> bytes:
    import uuid

    try:
        return uuid.UUID(text).bytes
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r:.80} is no job's id: 32 hex digits") from None
