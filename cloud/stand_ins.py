"""Stand-ins for what protects customers: allowed in development, loudly, and nowhere else."""

import logging

from cloud.config import CloudConfig
from cloud.errors import StandInRefused
from daemon.log_fields import fields

log = logging.getLogger(__name__)


def stand_ins(config: CloudConfig) -> tuple[str, ...]:
    """What this configuration uses in place of the real thing, in words."""
    used = {
        "the S3 server is emulated: it checks no signature and forgets at its end": config.s3.emulated,
        "the master key lies in a file beside what it protects": config.master_key.kind == "file",
        "MQTT without TLS: everybody on the way reads along and may pretend to be the broker": (
            not config.mqtt.tls
        ),
    }
    return tuple(words for words, is_used in used.items() if is_used)


def check_stand_ins(config: CloudConfig) -> tuple[str, ...]:
    """The stand-ins in use; each service calls this before it starts, and each use is logged.

    Raises:
        StandInRefused: There is one, and the environment is not `development`.
    """
    used = stand_ins(config)
    if used and not config.development:
        raise StandInRefused(
            f"not in production: {'; '.join(used)}",
            remedy='Configure the real thing; only `environment = "development"` allows stand-ins.',
        )
    for one in used:
        log.warning("stand_in.used", extra=fields(what=one))
    return used
