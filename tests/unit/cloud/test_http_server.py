"""The socket that a service listens on."""

from __future__ import annotations

import pytest

from cloud.errors import PortBusy
from cloud.http_server import bind


def test_a_busy_port_names_its_key() -> None:
    """A second listener is refused, and told which key to change."""
    with bind("127.0.0.1", 0, section="console") as first:
        port = first.getsockname()[1]
        with pytest.raises(PortBusy, match=f"127.0.0.1:{port}") as refused:
            bind("127.0.0.1", port, section="public_api")
    assert "public_api.port" in refused.value.remedy


def test_an_address_of_another_machine_is_refused() -> None:
    """What is not ours cannot be listened on."""
    with pytest.raises(PortBusy, match=r"192\.0\.2\.1"):
        bind("192.0.2.1", 0, section="console")
