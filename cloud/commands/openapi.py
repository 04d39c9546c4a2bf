"""`topscoop cloud openapi`: the public API's description (OpenAPI 3.1), for generated clients."""

import argparse


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `openapi` to `topscoop cloud`."""
    parser = verbs.add_parser(
        "openapi",
        help="print the public API's description (OpenAPI 3.1)",
        description="Prints the public API's description as JSON; the API itself serves it as /openapi.json.",
    )
    parser.add_argument("--config", metavar="FILE", help="configuration (TOML): whose addresses it names")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print it."""
    import sys

    from cloud.config_sources import config_of
    from cloud.public_api.openapi import description, written

    sys.stdout.buffer.write(written(description(config_of(args).public_api.public_url)) + b"\n")
    return 0
