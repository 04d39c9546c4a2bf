"""`topscoop cloud identity run --development`: an identity provider without passwords, to try."""

import argparse


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `identity` to `topscoop cloud`."""
    identity = verbs.add_parser(
        "identity", help="an identity provider for development: no passwords", description=__doc__
    )
    actions = identity.add_subparsers(title="commands", metavar="COMMAND", required=True)
    run_parser = actions.add_parser(
        "run",
        help="serve until it is told to stop",
        description="Offers Vera, Otto, Olga and Anna with one click; anybody else by typing."
        " It refuses to start outside of development.",
    )
    run_parser.add_argument(
        "--development", action="store_true", required=True, help="say that you know: it asks for no password"
    )
    run_parser.add_argument("--host", default="127.0.0.1", help="address to listen on; default: 127.0.0.1")
    run_parser.add_argument("--port", type=int, default=8731, help="TCP port; default: 8731")
    run_parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
    run_parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    import signal
    import threading

    from cloud.config_sources import config_of
    from cloud.console.development_identity import build_identity
    from daemon import event_log

    config = config_of(args)
    event_log.set_up(config.log.format, config.log.level)
    server = build_identity(config, args.host, args.port)
    serving = threading.Thread(target=server.serve_forever, name="identity")
    # In the way of a wait for the signal: `shutdown` must come from another thread than `serve_forever`.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    serving.start()
    print(f"identity provider runs on port {server.server_port}: no passwords, development only", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    server.shutdown()
    serving.join()
    server.server_close()
    return 0
