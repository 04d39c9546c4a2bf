"""`topscoop client login`: a person by a code, or a machine by id and secret."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from api_client.commands.at_chain import add_arguments, open_chain, plain, print_json
from wire_protocol.errors import OperatorError

if TYPE_CHECKING:
    from api_client.generated.models import DeviceAnswer


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `login` to `topscoop client`."""
    parser = verbs.add_parser(
        "login",
        help="log in at a chain",
        description="A person approves this machine in a browser, here or on a phone. A machine without a "
        "person has a client id and a secret from the chain.",
    )
    add_arguments(parser)
    parser.add_argument("--device", action="store_true", help="show a code to approve (the default)")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser here")
    parser.add_argument("--client-id", metavar="ID", help="of a machine")
    parser.add_argument(
        "--secret-file",
        type=Path,
        metavar="FILE",
        help="where a machine's secret lies; read again as tokens end",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Log in."""
    from api_client.chain import read_secret

    if (args.client_id is None) != (args.secret_file is None) or (args.device and args.client_id):
        raise OperatorError(
            "a machine logs in with --client-id and --secret-file, a person with --device",
            remedy="Give both of the first, or neither.",
        )
    with open_chain(args) as chain:
        if args.client_id is not None:
            chain.login_machine(args.client_id, read_secret(args.secret_file), secret_file=args.secret_file)
        else:
            progress = _Progress(chain.origin, browser=not args.no_browser)
            chain.login_device(progress.show, progress.wait)
            progress.end()
        if args.json:
            print_json({"chain": chain.origin, "logged_in": True})
        else:
            print(f"logged in at {chain.origin}")
    return 0


class _Progress:
    """What a person sees while the chain waits for their yes; on standard error."""

    def __init__(self, origin: str, *, browser: bool) -> None:
        self._origin, self._browser = origin, browser

    def show(self, code: "DeviceAnswer") -> None:
        print(f"Open   {plain(code.verification_uri)}", file=sys.stderr)
        print(f"Code   {plain(code.user_code)}", file=sys.stderr)
        complete = code.verification_uri_complete
        # Only the chain's own pages are opened, whatever an answer says.
        if (
            self._browser
            and complete.startswith(f"{self._origin}/")
            and complete.isprintable()
            and _has_screen()
        ):
            import webbrowser

            webbrowser.open(complete)
        print("Waiting for a yes …", end="", file=sys.stderr, flush=True)

    def wait(self) -> None:
        if sys.stderr.isatty():
            print("…", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        print(" yes.", file=sys.stderr)


def _has_screen() -> bool:
    """Whether a browser would have a window; one in a terminal would take the place of the code."""
    return sys.platform in {"darwin", "win32"} or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
