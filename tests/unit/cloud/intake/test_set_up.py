import dataclasses
from pathlib import Path

import pytest

from cloud.config import CloudConfig, IntakeConfig, ReleasesConfig, S3Config
from cloud.intake.set_up import PUT_HEADERS, cors_rules, lifecycle_rules, prepare_intake
from cloud.intake.signed_urls import Announced
from daemon.errors import ConfigError


def test_browsers_may_send_what_is_signed_and_nothing_else() -> None:
    """Every signed header but the length, which is the browser's own; PUT alone, from every chain's pages."""
    [rule] = cors_rules("https://{tenant}.localhost:8440")
    assert rule["AllowedOrigins"] == ["https://*.localhost:8440"]
    assert rule["AllowedMethods"] == ["PUT"]
    signed = {name.lower() for name in Announced("image/jpeg", 1, bytes(32), bytes(16)).headers()}
    assert set(rule["AllowedHeaders"]) == set(PUT_HEADERS) == signed - {"content-length"}


def test_nothing_outlives_a_day() -> None:
    """The store's own rule, for when nobody sweeps; multipart uploads, which nobody may begin, as well."""
    [rule] = lifecycle_rules()
    assert rule["Expiration"] == {"Days": 1}
    assert rule["Filter"] == {"Prefix": ""}
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}


@pytest.mark.parametrize(
    "config",
    [
        CloudConfig(s3=S3Config(bucket="one"), intake=IntakeConfig(bucket="one")),
        CloudConfig(releases=ReleasesConfig(bucket="one"), intake=IntakeConfig(bucket="one")),
    ],
    ids=["frames", "releases"],
)
def test_a_bucket_that_holds_something_else_is_refused(config: CloudConfig) -> None:
    """Intake deletes whatever has no ticket: frames and releases must never lie there."""
    with pytest.raises(ConfigError, match=r"intake\.bucket") as caught:
        prepare_intake(dataclasses.replace(config, state_dir=Path("unused")))
    assert caught.value.remedy
