"""`topscoop cloud withdraw`: what a customer asks for with the code on the slip; erases as `erase` does."""

import argparse


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `withdraw` to `topscoop cloud`."""
    parser = verbs.add_parser(
        "withdraw", help="end a consent by the code on the customer's slip", description=__doc__
    )
    parser.add_argument("--tenant", required=True, help="the chain")
    parser.add_argument("--code", required=True, help="the code on the slip, such as 7K3M-Q9TX-2VBD-H6RA")
    parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 when key and versions are gone."""
    from cloud.config_sources import config_of
    from cloud.operations.erasing import consents_of_code, erase_and_print
    from cloud.privacy.erasure_plan import Source

    config = config_of(args)
    found = consents_of_code(config, args.tenant, args.code)
    return erase_and_print(
        config, args.tenant, found, Source.CUSTOMER, reason="the code on the slip", as_json=args.json
    )
