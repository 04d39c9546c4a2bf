"""`topscoop cloud erase`: end a consent, destroy its key, delete every version, and show the proof."""

import argparse


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `erase` to `topscoop cloud`."""
    parser = verbs.add_parser(
        "erase", help="erase everything under one consent and print the proof", description=__doc__
    )
    parser.add_argument("--tenant", required=True, help="the chain")
    parser.add_argument(
        "--consent", required=True, metavar="ID", help="the consent: 32 hexadecimal digits, or a UUID"
    )
    parser.add_argument("--reason", default="", help="why, for the audit log; nothing about a person")
    parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 when key and versions are gone; the register is told by the keeper."""
    from cloud.config_sources import config_of
    from cloud.operations.erasing import erase_and_print
    from cloud.operations.typed_ids import typed_id
    from cloud.privacy.erasure_plan import Source

    consent = typed_id(args.consent, "a consent")
    return erase_and_print(
        config_of(args), args.tenant, [consent], Source.OPERATOR, reason=args.reason, as_json=args.json
    )
