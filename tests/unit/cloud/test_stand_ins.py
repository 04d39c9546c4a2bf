"""Stand-ins are for development, and never quiet."""

from __future__ import annotations

import logging

import pytest

from cloud.config import CloudConfig, MasterKeyConfig, MqttConfig, S3Config
from cloud.errors import StandInRefused
from cloud.stand_ins import check_stand_ins
from daemon.log_fields import FIELDS_ATTRIBUTE

_EACH = [
    {"s3": S3Config(emulated=True)},
    {"master_key": MasterKeyConfig(kind="file")},
    {"mqtt": MqttConfig(tls=False)},
]


@pytest.mark.parametrize("tables", _EACH)
def test_each_is_refused_in_production(tables: dict[str, object]) -> None:
    with pytest.raises(StandInRefused) as refused:
        check_stand_ins(CloudConfig(**tables))  # type: ignore[arg-type]
    assert "development" in refused.value.remedy


@pytest.mark.parametrize("tables", _EACH)
def test_each_is_logged_in_development(tables: dict[str, object], caplog: pytest.LogCaptureFixture) -> None:
    config = CloudConfig(environment="development", **tables)  # type: ignore[arg-type]
    (used,) = check_stand_ins(config)
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.WARNING, "stand_in.used")
    assert getattr(record, FIELDS_ATTRIBUTE) == {"what": used}


def test_the_real_things_are_silent(caplog: pytest.LogCaptureFixture) -> None:
    assert check_stand_ins(CloudConfig()) == ()
    assert caplog.records == []
