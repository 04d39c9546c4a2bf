"""The buttons of the login: one for each identity provider of the chain."""

from cloud.public_api.desk import Desk
from cloud.public_api.pages.rendering import Issuer


def login_choices(desk: Desk, tenant: str) -> list[Issuer]:
    """For the pages; a template adds the goal. Raises DatabaseAway."""
    return [Issuer(f"/login/{one.key}", one.label) for one in desk.issuers.of(tenant)]
