"""Puts the promoter together from the configuration; only services import this."""

import asyncio
import os
from collections.abc import Callable

from cloud import clock
from cloud.collector.acceptance import Terms
from cloud.collector.adapters.sql_directory import SqlDirectory
from cloud.collector.adapters.sql_ledger import SqlLedger
from cloud.collector.deposit import Deposited, Depositor
from cloud.config import CloudConfig
from cloud.database.engine import Database
from cloud.database.tenancy import read_service_keys
from cloud.intake.adapters.promotions import Promotions
from cloud.intake.promotion import Promoter, Signing
from cloud.objects.coroutines import InThreads
from cloud.objects.ports import ObjectStore
from cloud.service_keys import KeysInUse, Purpose, ServiceKeyFolder
from wire_protocol.envelope import KeyLookup, KeyRecord
from wire_protocol.limits import TIME_MAX_MS
from wire_protocol.topics import Topic

_TOKEN_BYTES = 16


class _Clock:
    def __init__(self, now_ms: Callable[[], int]) -> None:
        self.now_ms = now_ms


def build_promoter(
    config: CloudConfig, database: Database, objects: ObjectStore, now_ms: Callable[[], int] = clock.now_ms
) -> Promoter:
    """A promoter that threads may share.

    Args:
        config: Of the cloud.
        database: Of the rows.
        objects: The bucket of frames.
        now_ms: The clock.
    """
    ledger = SqlLedger(database, threads=2)
    directory, bucket = SqlDirectory(database), InThreads(objects)
    terms = Terms(lease_ms=config.collector.lease_s * 1000)

    def deposit(topic: Topic, message: bytes) -> Deposited:
        # One for each call: what it remembers of senders belongs to one event loop.
        one = Depositor(
            ledger,
            bucket,
            directory,
            _Clock(now_ms),
            lambda: os.urandom(_TOKEN_BYTES),
            terms=terms,
            sweep_after_ms=config.collector.sweep_after_s * 1000,
        )
        return asyncio.run(one.deposit(topic, message))

    def consent_keys_of(tenant: str) -> KeyLookup:
        with database.tenant(tenant, read_only=True) as connection:
            keys = [key for key in read_service_keys(connection, tenant) if key.purpose == Purpose.CONSENT]
        return {
            key.key.kid: KeyRecord(key.key, key.valid_from_ms, key.valid_until_ms or TIME_MAX_MS)
            for key in keys
        }.get

    signing = Signing(KeysInUse(ServiceKeyFolder(config.state_dir), Purpose.INTAKE), consent_keys_of)
    return Promoter(Promotions(database), deposit, signing, now_ms, os.urandom)
