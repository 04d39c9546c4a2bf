"""`topscoop cloud collector run`: store what registers send."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wire_protocol.errors import TopscoopError


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `collector` to `topscoop cloud`."""
    parser = verbs.add_parser(
        "collector",
        help="the service that stores what registers send",
        description="The collector: it verifies, stores and acknowledges what registers send. Several may "
        "run beside each other.",
    )
    inner = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    start = inner.add_parser(
        "run",
        help="start it and stay",
        description="Check store, database and broker, then collect until SIGTERM or Ctrl-C.",
    )
    start.add_argument("--config", metavar="FILE", help="configuration (TOML)")
    start.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run until a signal ends it; 0 after a clean end, 1 where a part of it died."""
    import logging

    from cloud.config_sources import config_of
    from daemon import event_log
    from daemon.log_fields import fields

    config = config_of(args)
    event_log.set_up(config.log.format, config.log.level)

    from cloud.collector.service import run_collector

    try:
        return run_collector(config)
    except ExceptionGroup as died:  # a part died: the supervisor starts the service anew
        told = _of_the_world(died)
        if told is not None:
            raise told from None
        logging.getLogger(__name__).critical("collector.died", extra=fields(), exc_info=died)
    return 1


def _of_the_world(died: Exception) -> "TopscoopError | None":
    """The first error in a group that a person can do something about."""
    from wire_protocol.errors import TopscoopError

    if isinstance(died, ExceptionGroup):
        return next(filter(None, map(_of_the_world, died.exceptions)), None)
    return died if isinstance(died, TopscoopError) else None
