import pytest

from benchmarks.http_client import HttpError, build_request, parse_answer

_ANSWER = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\ncontent-length: 2\r\n\r\n{}"


@pytest.mark.parametrize("end", range(len(_ANSWER)))
def test_an_answer_in_parts_is_waited_for(end: int) -> None:
    """No beginning of an answer is taken for the whole."""
    assert parse_answer(_ANSWER[:end]) is None


def test_a_whole_answer_gives_status_and_body() -> None:
    """Header names count in any case."""
    assert parse_answer(_ANSWER) == (201, b"{}")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
    ],
)
def test_what_cannot_be_read_is_no_answer(answer: bytes) -> None:
    """Better no figure than one of something else."""
    with pytest.raises(HttpError, match="cannot read"):
        parse_answer(answer)


def test_a_request_is_what_http_wants() -> None:
    """Length of the body in bytes, one empty line, then the body."""
    request = build_request("POST", "/v1/x", host="127.0.0.1:1", body=b"{}", headers={"A": "b"})
    assert request == b"POST /v1/x HTTP/1.1\r\nHost: 127.0.0.1:1\r\nContent-Length: 2\r\nA: b\r\n\r\n{}"
