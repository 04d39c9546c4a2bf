"""What a consent hangs together with, as conditions that several services' statements share."""

from typing import Final

from sqlalchemy import ColumnElement, and_

from cloud.database.schema import consents, handovers, withdrawals
from wire_protocol.consent import Method

CAME_BY_PHONE: Final[ColumnElement[bool]] = and_(
    consents.c.tenant == handovers.c.tenant,
    consents.c.register == handovers.c.register,
    consents.c.interaction == handovers.c.interaction,
    consents.c.method == Method.PHONE.value,
)
"""The consent that a register made of a yes on a phone: by its interaction, for only the register knows which
blank it fills."""
IS_WITHDRAWN: Final[ColumnElement[bool]] = and_(
    withdrawals.c.tenant == consents.c.tenant, withdrawals.c.consent == consents.c.consent
)
