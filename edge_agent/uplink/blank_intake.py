"""Blanks that came from the cloud, looked at before they are kept: signed by whom, for whom, until when."""

from collections.abc import Iterable

from edge_agent.uplink.anchors import Anchors, Purpose
from edge_agent.uplink.ports import SpooledBlank
from wire_protocol.consent import verify_blank
from wire_protocol.errors import RefusedMessage
from wire_protocol.reasons import Reason
from wire_protocol.topics import Identity


def believable(
    blanks: Iterable[bytes], identity: Identity, anchors: Anchors
) -> tuple[list[SpooledBlank], list[Reason]]:
    """The blanks that this register can use, and why each of the others cannot be."""
    good, bad = [], []
    for signed in blanks:
        try:
            blank = verify_blank(signed, anchors.keys(Purpose.CONSENT))
        except RefusedMessage as error:
            bad.append(error.reason)
            continue
        if Identity(blank.tenant, blank.register) == identity:
            good.append(SpooledBlank(blank.blank, signed, blank.usable_until))
        else:
            bad.append(Reason.CONSENT_FOREIGN)
    return good, bad
