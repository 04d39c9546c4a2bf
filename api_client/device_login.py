"""Waiting until a person has approved this device (RFC 8628, 3.4 and 3.5)."""

from collections.abc import Callable
from typing import Final

from api_client.errors import ApiError
from api_client.generated.api.login import begin_device_login, get_token
from api_client.generated.client import Client
from api_client.generated.models import DeviceAnswer, GetTokenBody, TokenAnswer
from api_client.speaking import expect
from api_client.world import World

GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
_SLOWER_S: Final = 5
_MOST_S: Final = 1800


def log_in(
    api: Client,
    world: World,
    on_code: Callable[[DeviceAnswer], None],
    on_wait: Callable[[], None] = lambda: None,
) -> TokenAnswer:
    """Begin, show the code, and ask until there is a token.

    Args:
        api: Without a token.
        world: Clocks and pauses.
        on_code: Shows `verification_uri` and `user_code`.
        on_wait: Called at each question that was answered "not yet".

    Raises:
        ApiError: `access_denied`, `expired_token`, or as the API refused.
    """
    begun = expect(DeviceAnswer, lambda: begin_device_login.sync(client=api))
    on_code(begun)
    body = GetTokenBody(grant_type=GRANT, device_code=begun.device_code)
    interval_s = max(1, begun.interval)
    until = world.monotonic() + min(begun.expires_in, _MOST_S)
    while True:
        world.pause(interval_s)
        try:
            return expect(TokenAnswer, lambda: get_token.sync(client=api, body=body))
        except ApiError as error:
            if error.slug == "slow_down":
                interval_s += _SLOWER_S
            elif error.slug != "authorization_pending" or world.monotonic() >= until:
                raise
        on_wait()
