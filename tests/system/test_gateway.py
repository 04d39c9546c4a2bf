"""The gateway of the stack keeps codes, signatures and addresses out of its logs."""

import json
import re
from pathlib import Path

import pytest

from cloud.public_api.problems import PROBLEMS

_CONFIGURATION = (Path(__file__).parents[2] / "deploy" / "gateway" / "nginx.conf").read_text("utf-8")
_HTTP = _CONFIGURATION[_CONFIGURATION.index("http {") :]


def test_no_log_of_the_gateway_names_an_address_of_a_request() -> None:
    """T26: nginx writes the whole request line beside an error; so none is written."""
    assert re.findall(r"error_log (\S+) (\w+);", _HTTP) == [("/dev/stderr", "emerg")]
    assert re.findall(r"access_log (\S+) (\w+);", _HTTP) == [("/dev/stdout", "plain")]
    (written,) = re.findall(r"log_format plain ((?:[^;]|\n)+);", _HTTP)
    named = set(re.findall(r"\$(\w+)", written))
    assert named == {
        "time_iso8601",
        "host",
        "request_method",
        "area",
        "status",
        "bytes_sent",
        "request_time",
        "upstream_response_time",
        "upstream_status",
    }


@pytest.mark.parametrize("slug", ["too-large", "too-many-requests", "not-ready"])
def test_what_the_gateway_refuses_is_a_documented_problem(slug: str) -> None:
    """In the API's own words."""
    (body,) = re.findall(rf"= /refused/{slug} \{{\s+return \d+ '(.+)';", _HTTP)
    told, known = json.loads(body.replace("\\'", "'")), PROBLEMS[slug]
    assert told == {
        "type": f"/docs/problems#{slug}",
        "title": known.title,
        "status": known.status,
        "remedy": known.remedy,
    }
