import hashlib
import re

import pytest

from edge_agent.adapters.cameras.http_login import Login, login_of
from edge_agent.errors import CameraError

URL = "http://10.0.0.7/video.mjpg"
LOGIN = Login("admin", "pa:ss/word")


def test_user_and_password_are_percent_decoded() -> None:
    assert login_of("http://admin:pa%3Ass%2Fword@10.0.0.7/video.mjpg") == LOGIN
    assert login_of("http://admin@10.0.0.7/") == Login("admin", "")
    assert login_of(URL) is None


def test_basic_is_answered_with_base64() -> None:
    assert LOGIN.answer('Basic realm="cam"', URL) == "Basic YWRtaW46cGE6c3Mvd29yZA=="


def test_digest_is_answered_as_the_standard_computes_it() -> None:
    """RFC 7616 with qop auth: the response is recomputed here from the client's own nonce."""
    header = LOGIN.answer('Digest realm="cam", nonce="abc", qop="auth", algorithm=MD5', URL)
    values = dict(re.findall(r'(\w+)="?([^",]+)"?', header))
    ha1 = hashlib.md5(b"admin:cam:pa:ss/word").hexdigest()
    ha2 = hashlib.md5(b"GET:/video.mjpg").hexdigest()
    text = f"{ha1}:abc:{values['nc']}:{values['cnonce']}:auth:{ha2}"
    assert values["response"] == hashlib.md5(text.encode()).hexdigest()
    assert (values["uri"], values["username"]) == ("/video.mjpg", "admin")


@pytest.mark.parametrize(
    "challenge", ["", "Bearer", "NTLM", "Digest", 'Digest realm="x", nonce="y", algorithm=FOO']
)
def test_a_login_that_we_do_not_know_is_a_clear_error(challenge: str) -> None:
    with pytest.raises(CameraError) as refused:
        LOGIN.answer(challenge, URL)
    assert "Digest" in refused.value.remedy


def test_a_login_never_shows_its_password() -> None:
    assert "pa:ss" not in repr(LOGIN)
