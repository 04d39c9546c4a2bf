from benchmarks.broker_log import Passed, passed

_TOPIC = "topscoop/v1/bench/till-1/up/file-request"
_LINES = [
    f"2026-11-22T21:00:00: Received PUBLISH from bench/till-1 (d0, q1, r0, m7, '{_TOPIC}', ... (300 bytes))",
    f"2026-11-22T21:00:00: Sending PUBLISH to files (d0, q1, r0, m3, '{_TOPIC}', ... (300 bytes))",
    (
        "2026-11-22T21:00:01: Sending PUBLISH to bench/till-1 (d0, q1, r0, m1, "
        "'topscoop/v1/bench/till-1/down/file-block', ... (1000 bytes))"
    ),
    "2026-11-22T21:00:01: Sending PUBACK to bench/till-1 (m7, rc0)",
]


def test_messages_of_one_kind_and_one_client_are_counted() -> None:
    """Payload, topic and head; what the broker gives to a service went over no register's link."""
    assert passed(_LINES, "bench/till-1", "up/file-request") == Passed(1, 300 + len(_TOPIC) + 8)
    assert passed(_LINES, "bench/till-1", "down/file-block").count == 1
    assert passed(_LINES, "bench/till-2", "down/file-block") == Passed()
