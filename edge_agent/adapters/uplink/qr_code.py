"""An address as a QR code for the customer's display: SVG without style, script or size of its own."""

import io
from typing import Final

import segno

QUIET_ZONE: Final = 4
"""Light modules around the code (ISO/IEC 18004)."""
ERROR_CORRECTION: Final = "m"
"""15 %: a reflection on the glass; more would make the modules finer."""


def draw(address: str) -> str:
    """The SVG element; dark on whatever light ground the page puts behind it. Takes about 15 ms."""
    code = segno.make(address, error=ERROR_CORRECTION, micro=False, boost_error=False)
    drawn = io.BytesIO()
    code.save(
        drawn,
        kind="svg",
        border=QUIET_ZONE,
        xmldecl=False,
        nl=False,
        omitsize=True,
        svgclass=None,
        lineclass=None,
    )
    return drawn.getvalue().decode()
