"""Puts the public API's desk together: the service and the tests build the same one."""

import functools
import os
import time
from collections.abc import Callable

from cloud.config import CloudConfig
from cloud.database.engine import Database
from cloud.identity.issuers import Issuers
from cloud.intake.adapters.s3_intake_store import S3IntakeStore
from cloud.intake.adapters.s3_url_signer import S3UrlSigner
from cloud.intake.arrivals import Arrivals
from cloud.intake.intake_store import IntakeStore
from cloud.intake.signed_urls import UrlSigner
from cloud.objects.ports import ObjectStore
from cloud.objects.s3_store import S3Store
from cloud.public_api.answers import EXPORTS_MAX, EXPORTS_OF_ONE_MAX, Answers, Places
from cloud.public_api.day_quota import DayQuota
from cloud.public_api.desk import Desk
from cloud.public_api.erasing import Erasing
from cloud.public_api.errands import Errands
from cloud.public_api.limits import Limits
from cloud.public_api.metrics import ApiMetrics
from cloud.public_api.tenants import Tenants
from cloud.public_api.tries import Tries
from cloud.public_api.turnstile import Turnstile


def build_desk(
    config: CloudConfig,
    database: Database,
    now_ms: Callable[[], int],
    *,
    signer: UrlSigner | None = None,
    store: IntakeStore | None = None,
    frames: ObjectStore | None = None,
) -> Desk:
    """What the routes share; nothing is connected yet.

    Args:
        config: Of the cloud.
        database: Of the cloud.
        now_ms: The clock.
        signer: Signs upload URLs; without it, for the S3 server of the configuration.
        store: The intake bucket; without it, that server's.
        frames: The bucket of frames, with the erasure log; without it, that server's.

    Raises:
        StoreRefused: There are no credentials to sign with.
    """
    metrics, turnstile = ApiMetrics(), Turnstile()
    metrics.queued.set_function(lambda: len(turnstile))
    answers = Answers(lambda latency_ms: metrics.answered.observe(latency_ms / 1000))
    metrics.waiting.set_function(lambda: len(answers.waits) + len(answers.streams))
    intake = store or S3IntakeStore.open(config)
    return Desk(
        config=config,
        database=database,
        now_ms=now_ms,
        tenants=Tenants(database, config.public_api.public_url, time.monotonic),
        answers=answers,
        exports=Places(EXPORTS_MAX, EXPORTS_OF_ONE_MAX),
        issuers=Issuers(config, database, now_ms, time.monotonic),
        errands=Errands(),
        tries=Tries(now_ms),
        turnstile=turnstile,
        limits=Limits(config.public_api, database, now_ms),
        day_quota=DayQuota(database),
        metrics=metrics,
        signer=signer or S3UrlSigner.open(config),
        erasing=Erasing(
            database,
            functools.cache(lambda: frames or S3Store(config.s3)),
            intake,
            now_ms,
            config.intake.plaintext_s * 1000,
            os.urandom,
        ),
        arrivals=Arrivals(database, intake, metrics, now_ms, config.intake.plaintext_s),
    )
