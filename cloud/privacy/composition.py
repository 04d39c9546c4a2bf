"""Puts the parts of the keeper together from the configuration; only commands import this."""

import logging
from pathlib import Path
from typing import Final

from cloud.broker.composition import service_credentials
from cloud.broker.rights import KEEPER
from cloud.config import CloudConfig, MqttConfig
from cloud.enrolment.pki_folder import CredentialFiles
from cloud.errors import StandInRefused
from cloud.mqtt_client import MqttClient
from cloud.objects.ports import ObjectStore
from cloud.operations.setup import SetUp, prepare_database
from cloud.privacy.adapters.sql_key_vault import SqlKeyVault
from cloud.privacy.key_schema import KEYS
from cloud.privacy.ports import MasterKey
from daemon.errors import ConfigError
from daemon.log_fields import fields
from wire_protocol.topics import KEEPER_SHARES

log = logging.getLogger(__name__)

REPORTS_IN_FLIGHT: Final = 20
"""Reports that the broker hands over before the first is acknowledged; it holds the rest."""


def open_master_key(config: CloudConfig) -> MasterKey:
    """The master key that the configuration names.

    Raises:
        ConfigError: No key of KMS is named.
        StandInRefused: It is a file, outside of development.
        MasterKeyError: The file is readable for others, or holds no key.
    """
    chosen = config.master_key
    if chosen.kind == "kms":
        from cloud.privacy.adapters.kms_master_key import KmsMasterKey

        if chosen.kms_key_id is None:
            raise ConfigError(
                "master_key.kms_key_id is not set",
                remedy='Name the key in KMS; for development alone: master_key.kind = "file".',
            )
        return KmsMasterKey(chosen.kms_key_id, chosen.kms_endpoint_url, chosen.kms_region)
    from cloud.privacy.adapters.file_master_key import FileMasterKey

    path = chosen.file or master_key_file(config.state_dir)
    if not config.development:
        raise StandInRefused(
            f"not in production: the master key lies in {path}, beside what it protects",
            remedy='Set master_key.kind = "kms"; only `environment = "development"` allows the file.',
        )
    log.warning("stand_in.used", extra=fields(what="the master key of consent keys lies in a file"))
    return FileMasterKey(path)


def master_key_file(state_dir: Path) -> Path:
    """Where the file lies unless the configuration says otherwise."""
    return state_dir / "master.key"


def open_vault(config: CloudConfig) -> SqlKeyVault:
    """The vault of consent keys, seen to be usable.

    Raises:
        As `open_master_key`, and DatabaseAway, DatabaseNotMigrated, DatabaseRoleTooStrong.
    """
    vault = SqlKeyVault(config.keys_url, open_master_key(config))
    vault.database.check()
    return vault


def open_objects(config: CloudConfig) -> ObjectStore:
    """The bucket of frames."""
    from cloud.objects.s3_store import S3Store

    return S3Store(config.s3)


def open_link(config: CloudConfig) -> MqttClient:
    """The keeper's client at the broker; its `run` connects it.

    Raises:
        PkiError: Its certificate is missing; `topscoop cloud setup` makes it.
    """
    return keeper_client(config.mqtt, service_credentials(config, KEEPER) if config.mqtt.tls else None)


def keeper_client(config: MqttConfig, credentials: CredentialFiles | None) -> MqttClient:
    """A client that takes in registers' reports."""
    return MqttClient(
        config, credentials, service=KEEPER, filters=KEEPER_SHARES, receive_maximum=REPORTS_IN_FLIGHT
    )


def set_up_keys(setup: SetUp) -> str:
    """The step of `topscoop cloud setup` that makes the database of consent keys and tries the master key."""
    said = prepare_database(setup.config.keys_url, setup.config.keys_owner_url, KEYS)
    master = open_master_key(setup.config)
    probe = bytes(32)
    if master.unwrap(master.wrap(probe, "probe", "probe"), "probe", "probe") != probe:
        raise ConfigError("the master key does not unwrap what it wrapped")
    return f"{said}; master key: {setup.config.master_key.kind}"
