"""`topscoop edge enrol`: make this register's keys and have the cloud sign them."""

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_agent.adapters.uplink.enrolment_client import Granted


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "enrol",
        help="give this register its identity in the cloud",
        description="Make this register's keys, here, and have the cloud sign them. Needs the one-time code "
        "that `topscoop cloud register add` printed; run it as the agent's user, then restart the agent.",
    )
    parser.add_argument("--config", metavar="FILE", help="configuration of the agent")
    parser.add_argument("--url", metavar="URL", required=True, help="enrolment server: https://…")
    parser.add_argument(
        "--code", metavar="CODE", help="one-time code; left out, it is read from standard input"
    )
    parser.add_argument(
        "--again", action="store_true", help="replace the identity that this register has, with new keys"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Enrol, and say until when the certificate is good."""
    from edge_agent.adapters.clock import SystemClock
    from edge_agent.adapters.config_sources import load_config
    from edge_agent.adapters.uplink import enrolment_client as client
    from edge_agent.adapters.uplink import key_files
    from edge_agent.adapters.version import agent_version
    from wire_protocol import enrolment_code
    from wire_protocol.topics import Identity

    config = load_config(args.config, os.environ).config
    folder = config.data_dir / key_files.FOLDER
    if key_files.is_enrolled(folder) and not args.again:
        raise client.EnrolmentError(
            f"{folder}: this register is enrolled already",
            remedy="Nothing is to be done. To replace its identity and keys, add --again with a new code.",
        )
    text = args.code or sys.stdin.readline()
    try:
        code = enrolment_code.parse(text)
        asked = client.Asked(Identity(config.tenant, config.register), config.store, agent_version())
    except ValueError as error:
        raise client.EnrolmentError(
            str(error), remedy="Compare it with what `topscoop cloud register add` printed."
        ) from error
    ca_pem = client.fetch_authority(args.url, code)
    granted = client.enrol(args.url, ca_pem, text.strip(), client.Applicant.new(), asked)
    blanks = json.dumps([blank.hex() for blank in granted.blanks]).encode()
    key_files.install(folder, {**granted.files, key_files.BLANKS_FILE: blanks})
    _tell(args, granted, SystemClock().now_ms())
    return 0


def _tell(args: argparse.Namespace, granted: "Granted", now_ms: int) -> None:
    from edge_agent.adapters.uplink.enrolment_client import CLOCK_TOLERANCE_MS
    from edge_agent.adapters.uplink.key_files import life_of

    place, life = granted.place, life_of(granted.certificate)
    off_s = (now_ms - place.server_time_ms) / 1000
    clock_off = abs(now_ms - place.server_time_ms) > CLOCK_TOLERANCE_MS
    if args.json:
        document = {
            "tenant": place.identity.tenant,
            "register": place.identity.register,
            "store": place.store,
            "broker": f"{place.broker_host}:{place.broker_port}",
            "certificate_until_ms": life.not_after_ms,
            "blanks": len(granted.blanks),
            "clock_off_s": round(off_s, 1),
        }
        print(json.dumps(document))
        return
    days = life.days_left(place.server_time_ms)
    print(
        f"Register {place.identity} of store {place.store} is enrolled, certificate good for {days:.0f} days."
    )
    print(f"Broker {place.broker_host}:{place.broker_port}, {len(granted.blanks)} consent blanks.")
    print("Set `enabled = true` under [uplink] if it is not, and restart the agent.")
    if clock_off:
        print(
            f"WARNING: this till's clock is {abs(off_s):.0f} s {'ahead' if off_s > 0 else 'behind'}: set it.",
            file=sys.stderr,
        )
