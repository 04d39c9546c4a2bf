"""`topscoop cloud pki init|gateway|show`: the authorities and their certificates."""

import argparse
import json


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `pki` to `topscoop cloud`."""
    pki = verbs.add_parser("pki", help="make, renew and list certificates", description=__doc__)
    actions = pki.add_subparsers(title="commands", metavar="COMMAND", required=True)
    init = actions.add_parser("init", help="make what is missing and renew what is due; keeps authorities")
    gateway = actions.add_parser(
        "gateway",
        help="make or renew the development gateway's certificate; a public authority signs a real one",
    )
    gateway.add_argument(
        "--host",
        action="append",
        required=True,
        metavar="NAME",
        help="a name that browsers call it by; repeat it",
    )
    show = actions.add_parser("show", help="list certificates and when they end")
    for parser, run in ((init, run_init), (gateway, run_gateway), (show, run_show)):
        parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.set_defaults(run=run)


def run_init(args: argparse.Namespace) -> int:
    """Make and renew."""
    from cloud.clock import now_ms
    from cloud.config_sources import config_of
    from cloud.enrolment.pki_folder import PkiFolder
    from cloud.enrolment.set_up import server_hosts
    from cloud.state_folder import prepare_folder

    config = config_of(args)
    prepare_folder(config.state_dir)
    pki = PkiFolder(config.state_dir)
    written = pki.prepare(server_hosts(config), now_ms())
    if args.json:
        print(json.dumps({"folder": str(pki.path), "written": written}))
    else:
        print(f"{pki.path}: {', '.join(written) if written else 'complete, nothing was due'}")
    return 0


def run_gateway(args: argparse.Namespace) -> int:
    """Make or renew the gateway's."""
    from cloud.clock import now_ms
    from cloud.config_sources import config_of
    from cloud.enrolment.pki_folder import PkiFolder
    from cloud.enrolment.set_up import server_hosts
    from cloud.state_folder import prepare_folder

    config = config_of(args)
    prepare_folder(config.state_dir)
    pki, now = PkiFolder(config.state_dir), now_ms()
    pki.prepare(server_hosts(config), now)
    written = pki.prepare_gateway(args.host, now)
    files = pki.gateway_files()
    if args.json:
        made = {"certificate": str(files.certificate), "key": str(files.key), "ca": str(files.ca)}
        print(json.dumps(made | {"written": written}))
    else:
        print(f"{files.certificate}: {', '.join(written) if written else 'good, nothing was due'}")
        print(f"Browsers that shall trust it need {files.ca}.")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """List; exit status 1 when something ends within 30 days."""
    import hashlib

    from cloud.clock import now_ms
    from cloud.config_sources import config_of
    from cloud.enrolment.expiry import alarms
    from cloud.enrolment.pki_folder import PkiFolder

    pki, now = PkiFolder(config_of(args).state_dir), now_ms()
    endings = pki.endings()
    urgencies = {alarm.name: str(alarm.urgency) for alarm in alarms(endings, now)}
    rows = [
        {
            "kind": str(ending.kind),
            "name": ending.name,
            "not_after_ms": ending.not_after_ms,
            "days_left": (ending.not_after_ms - now) // 86_400_000,
            "urgency": urgencies.get(ending.name),
        }
        for ending in endings
    ]
    fingerprint = hashlib.sha256(pki.services.der).hexdigest()
    if args.json:
        print(json.dumps({"services_ca_sha256": fingerprint, "endings": rows}))
    else:
        for row in rows:
            urgency = row["urgency"] or ""
            print(f"{row['kind']:<16} {row['name']:<20} {row['days_left']:>5} days  {urgency}".rstrip())
        print(f"services' authority, SHA-256: {fingerprint}")
    return 1 if urgencies else 0
