"""What a register is answered, as JSON has it."""

import base64

from cryptography.hazmat.primitives.asymmetric import ec

from cloud.config import EnrolmentConfig
from cloud.enrolment.answer import answer
from cloud.enrolment.certificates import client_certificate, new_authority
from cloud.enrolment.enrol import Granted
from wire_protocol.topics import Identity

NOW_MS = 1_795_000_000_000


def test_the_root_of_releases_travels_as_base64() -> None:
    """T9: byte for byte, as it was trusted; null where nothing is."""
    authority = new_authority("registers", ec.generate_private_key(ec.SECP256R1()), NOW_MS)
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    certificate = client_certificate(authority, "gelato/till-1", public, NOW_MS, 90)
    for root, expected in ((b'{"signed": 1}\n', base64.b64encode(b'{"signed": 1}\n').decode()), (None, None)):
        granted = Granted(Identity("gelato", "till-1"), "north", certificate, (), (b"blank",), root)
        said = answer(granted, authority, authority, EnrolmentConfig(), NOW_MS)
        assert said["release_root"] == expected
        assert said["blanks"] == [base64.b64encode(b"blank").decode()]
