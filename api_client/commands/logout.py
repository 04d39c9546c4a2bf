"""`topscoop client logout`: end the login, there and here."""

import argparse

from api_client.commands.at_chain import add_arguments, open_chain, print_json


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `logout` to `topscoop client`."""
    parser = verbs.add_parser("logout", help="end the login at a chain", description=__doc__)
    add_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Log out; again it changes nothing."""
    with open_chain(args) as chain:
        was = chain.logged_in
        chain.logout()
        if args.json:
            print_json({"chain": chain.origin, "was_logged_in": was})
        else:
            print(f"logged out at {chain.origin}" if was else f"nobody was logged in at {chain.origin}")
    return 0
