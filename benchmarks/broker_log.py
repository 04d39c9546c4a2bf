"""What the broker's log says of the messages that it took and gave: how many bytes, by kind. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_LINE = re.compile(
    r"(?P<verb>Received PUBLISH from|Sending PUBLISH to) (?P<client>\S+) "
    r"\(d\d, q\d, r\d, m\d+, '(?P<topic>[^']+)', \.\.\. \((?P<bytes>\d+) bytes\)\)"
)
_HEAD_BYTES = 8
"""Of an MQTT 5 PUBLISH beside its topic and payload: type, length, topic's length, packet id, properties."""


@dataclass(frozen=True, slots=True)
class Passed:
    """Messages of one kind that passed between one client and the broker."""

    count: int = 0
    bytes: int = 0
    """Packets without TLS: payload, topic and head."""


def passed(lines: Iterable[str], client: str, kind: str) -> Passed:
    """What went between this client and the broker on topics that end so: `down/file-block`."""
    count = size = 0
    for line in lines:
        found = _LINE.search(line)
        if found is not None and found["client"] == client and found["topic"].endswith(f"/{kind}"):
            count += 1
            size += int(found["bytes"]) + len(found["topic"]) + _HEAD_BYTES
    return Passed(count, size)
