"""`topscoop cloud config`: what is wrong, what holds, and from where; never a secret."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from cloud.config_settings import SETTINGS
from tests.builders.cloud_cli import cloud, cloud_json

_DEVELOPMENT = 'environment = "development"\n[master_key]\nkind = "file"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cloud.toml"
    path.write_text(_DEVELOPMENT)
    return path


def test_check_says_good_and_names_stand_ins(file: Path) -> None:
    status, out, _ = cloud("config", "check", "--config", file)
    assert status == 0
    assert "development, bucket topscoop-frames: good" in out
    assert "master key lies in a file" in out
    assert len(cloud_json("config", "check", "--config", file)["stand_ins"]) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nope = 1", "unknown key"),
        ('[master_key]\nkind = "file"', "not in production"),
        ("", "kms_key_id is not set"),
    ],
)
def test_check_names_the_mistake(file: Path, text: str, words: str) -> None:
    file.write_text(text)
    status, _, err = cloud("config", "check", "--config", file)
    assert status == 2
    assert words in err
    status, out, _ = cloud("config", "check", "--config", file, "--json")
    answer = json.loads(out)
    assert (status, answer["ok"], len(answer["problems"])) == (2, False, 1)
    assert answer["remedy"]


def test_show_prints_every_value_with_its_origin_and_no_secret(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOPSCOOP_CLOUD_S3_ACCESS_KEY", "the-access-key")
    monkeypatch.setenv("TOPSCOOP_CLOUD_S3_SECRET_KEY", "hunter2")
    monkeypatch.setenv("TOPSCOOP_CLOUD_DATABASE_URL", "postgresql+psycopg://a:hunter2@h/d")
    rows = cloud_json("config", "show", "--config", file)
    assert rows["environment"] == {"value": "development", "from": str(file)}
    assert rows["s3.secret_key"] == {"value": "(set)", "from": "TOPSCOOP_CLOUD_S3_SECRET_KEY"}
    assert rows["database_url"]["value"] == "(set)"
    assert rows["keys_url"]["value"].startswith("sqlite:///")
    status, out, _ = cloud("config", "show", "--config", file)
    assert status == 0
    assert len(out.splitlines()) == len(rows) == len(SETTINGS.keys)
    assert "hunter2" not in out + json.dumps(rows)


def test_the_schema_takes_the_defaults() -> None:
    """It is a JSON Schema, and a file of nothing satisfies it."""
    status, out, _ = cloud("config", "schema")
    assert status == 0
    schema = json.loads(out)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate({}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"s3": {"buket": "x"}}, schema)
