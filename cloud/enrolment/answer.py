"""The answer to an enrolment or a renewal, as JSON has it."""

import base64
from typing import Any, Final

from cloud.config import EnrolmentConfig
from cloud.enrolment.certificates import Authority, pem
from cloud.enrolment.enrol import Granted
from cloud.enrolment.request import ALGORITHM_NAMES
from wire_protocol.limits import TIME_MAX_MS

_NAMES: Final = {algorithm: name for name, algorithm in ALGORITHM_NAMES.items()}


def answer(
    granted: Granted, registers: Authority, services: Authority, config: EnrolmentConfig, now_ms: int
) -> dict[str, Any]:
    """What docs/enrolment.md describes."""
    return {
        "tenant": granted.identity.tenant,
        "register": granted.identity.register,
        "store": granted.store,
        "certificate_pem": pem(granted.certificate),
        "chain_pem": pem(registers.certificate),
        "ca_pem": pem(services.certificate),
        "broker": {"host": config.broker_host, "port": config.broker_port},
        "anchors": [
            {
                "purpose": anchor.purpose,
                "algorithm": _NAMES[anchor.key.algorithm],
                "public": _text(anchor.key.public),
                "valid_from_ms": anchor.valid_from_ms,
                "valid_until_ms": TIME_MAX_MS if anchor.valid_until_ms is None else anchor.valid_until_ms,
            }
            for anchor in granted.anchors
        ],
        "release_root": None if granted.release_root is None else _text(granted.release_root),
        "blanks": [_text(blank) for blank in granted.blanks],
        "server_time_ms": now_ms,
    }


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
