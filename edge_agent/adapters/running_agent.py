"""Asking the agent that runs on this register, over its local API, as its own user."""

import http.client
import json
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from edge_agent.config import EdgeConfig
from wire_protocol.errors import OperatorError

_TIMEOUT_S: Final = 20.0
_ADDRESS_FILE: Final = "api.json"
_TOKEN_FILE: Final = "pairing-token"  # noqa: S105 - a file's name


class AgentNotAskedError(OperatorError):
    """An agent runs, but cannot be asked, or refuses."""


class RunningAgent:
    """The agent that runs on a data folder.

    Args:
        config: Its configuration.

    Raises:
        AgentNotAskedError: Its address or its token cannot be read.
    """

    def __init__(self, config: EdgeConfig) -> None:
        try:
            found = json.loads((config.data_dir / _ADDRESS_FILE).read_bytes())
            self._address = urlsplit(found["url"])
            kept = config.data_dir / _TOKEN_FILE
            tokens = config.api.pairing_tokens
            self._token = tokens[0] if tokens else kept.read_text("ascii").strip()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise AgentNotAskedError(
                f"an agent runs on {config.data_dir}, but cannot be asked: {error}",
                remedy="Run this as the agent's user, when the agent is ready.",
            ) from error

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer's JSON object.

        Raises:
            AgentNotAskedError: No answer, or another status than 200, in the agent's own words.
        """
        connection = http.client.HTTPConnection(
            self._address.hostname or "127.0.0.1", self._address.port, timeout=_TIMEOUT_S
        )
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise AgentNotAskedError(
                f"the agent does not answer: {error}",
                remedy="Wait until it is ready, or look at its log; then try again.",
            ) from error
        finally:
            connection.close()
        if answer.status == HTTPStatus.NOT_FOUND:
            raise AgentNotAskedError(
                "the running agent has no uplink",
                remedy="Set `enabled = true` under [uplink], enrol, and restart the agent.",
            )
        found = json.loads(data)
        if answer.status != HTTPStatus.OK:
            raise AgentNotAskedError(
                str(found.get("detail", answer.status)), remedy=str(found.get("remedy", ""))
            )
        return dict(found)
