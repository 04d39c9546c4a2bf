"""`topscoop edge doctor`: is this till fit for the agent, and if not, what to do."""

import argparse
import json
import logging
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_agent.checkup import Finding

_MARKS = {"ok": "ok     ", "warning": "WARNING", "failed": "FAILED "}


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "doctor",
        help="check camera, model, disk, clock, port and uplink of this till",
        description="Check everything that the agent needs, without changing anything, in about ten seconds. "
        "Run it as the agent's user. Ends with 1 if a check failed.",
    )
    parser.add_argument("--config", metavar="FILE", help="configuration of the agent")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print each finding when it is there; 1 if one of them is a failure."""
    from edge_agent.checkup import Verdict

    findings: list[Finding] = []
    logging.disable(logging.CRITICAL)  # the findings say it
    try:
        for finding in _findings(args.config):
            findings.append(finding)
            if not args.json:
                _print(finding)
    finally:
        logging.disable(logging.NOTSET)
    failed = [finding for finding in findings if finding.verdict is Verdict.FAILED]
    if args.json:
        checks = [finding.as_json() for finding in findings]
        print(json.dumps({"ok": not failed, "checks": checks}, ensure_ascii=False))
    elif failed:
        print(f"{len(failed)} of {len(findings)} checks failed.", file=sys.stderr)
    return 1 if failed else 0


def _findings(config_file: str | None) -> Iterator["Finding"]:
    """The checks, from what all else needs to what takes longest."""
    from edge_agent.adapters.checks.api import check_api
    from edge_agent.adapters.checks.camera import check_camera
    from edge_agent.adapters.checks.config import check_config
    from edge_agent.adapters.checks.folder import check_folder
    from edge_agent.adapters.checks.machine import check_clock, check_cpu, check_memory
    from edge_agent.adapters.checks.model import check_model

    yield check_cpu()
    yield check_memory()
    yield check_clock()
    config, finding = check_config(config_file)
    yield finding
    if config is None:
        return
    yield check_folder(config)
    yield check_api(config)
    if config.uplink.enabled:
        from edge_agent.adapters.checks.uplink import check_uplink

        yield from check_uplink(config)
    if config.uplink.enabled or (config.data_dir / "updates").exists():
        from edge_agent.adapters.checks.releases import check_releases

        yield from check_releases(config)
    yield check_camera(config)
    yield from check_model(config)


def _print(finding: "Finding") -> None:
    print(f"{_MARKS[finding.verdict]} {finding.check:11} {finding.said}", flush=True)
    if finding.remedy:
        print(f"{'':20}{finding.remedy}", flush=True)
