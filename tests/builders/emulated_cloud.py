"""The public API in this process over imitations: SQLite, moto's S3 and SQS, a login without passwords."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import uuid
from typing import TYPE_CHECKING, Any

from cloud.clock import now_ms
from cloud.config import (
    CloudConfig,
    ConsoleConfig,
    IntakeConfig,
    KeeperConfig,
    MasterKeyConfig,
    PublicApiConfig,
    ReleasesConfig,
    S3Config,
)
from cloud.console.development_identity import build_identity
from cloud.intake.adapters.metrics import IntakeWatch
from cloud.intake.adapters.sqs_events import sqs_client
from cloud.intake.promotion_composition import build_promoter
from cloud.intake.service import build_intake
from cloud.intake.set_up import prepare_intake
from cloud.objects.s3_client import s3_client
from cloud.objects.s3_store import S3Store
from cloud.objects.setup import prepare_bucket
from cloud.operations.tenants import create_tenant
from cloud.privacy.keeper_service import build_keeper, build_web_stock
from cloud.privacy.memory_key_vault import MemoryKeyVault
from cloud.privacy.person_care import PersonCare
from cloud.public_api.service import build_api
from cloud.recommender.adapters.metrics import RecommenderMetrics
from cloud.recommender.service import build_recommender
from cloud.releases.adapters.folder_files import FolderFiles
from cloud.releases.look import look
from cloud.releases.trust import trust_root
from tests.builders.cloud_database import some_tenant, sqlite_database
from tests.builders.daemon import ReservedPort
from tests.builders.privacy_stage import SentDown
from tests.builders.release_repository import ReleaseRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TENANT = "gelateria-sole"
_READY_S = 60


class EmulatedCloud:
    """API, intake and recommender run in a thread; the keeper's steps are a test's to take.

    Args:
        folder: Of everything.
        config: Of the cloud.
        watch: What intake tells.
    """

    def __init__(self, folder: Path, config: CloudConfig) -> None:
        self.config = config
        self.watch = IntakeWatch()
        self.database = sqlite_database(folder)
        self.objects = S3Store(config.s3)
        create_tenant(self.database, config, some_tenant(TENANT), actor="operator:test")
        vault = MemoryKeyVault()
        self._keeper = build_keeper(config, self.database, vault, SentDown())
        self._stock = build_web_stock(config, self.database, vault)
        self._care = PersonCare(self.database, self.objects, now_ms)
        self._stopping: Callable[[], object] = lambda: None
        self._ready = threading.Event()
        self._stock.top_up(TENANT)

    @property
    def url(self) -> str:
        """The chain's host."""
        return self.config.public_api.public_url.replace("{tenant}", TENANT)

    def release(self, folder: Path) -> None:
        """Publish the chain's model."""
        repository = ReleaseRepository(folder, TENANT)
        repository.add_release(1, note=None)
        trust_root(self.database, TENANT, repository.first_root, now_ms(), actor="operator:test")
        assert look(self.database, FolderFiles(folder), TENANT, now_ms()).listed == (1,)

    def keep(self) -> None:
        """What the keeper does every moment: erase, and settle proofs."""
        self._keeper.erase(TENANT)
        self._care.erasures(TENANT)

    def uploads(self) -> int:
        """Pictures in the intake bucket."""
        client = s3_client(self.config.s3)
        return int(client.list_objects_v2(Bucket=self.config.intake.bucket)["KeyCount"])

    def versions(self) -> list[tuple[str, str]]:
        """Every version of every frame."""
        return [(one.key, one.version) for one in self.objects.versions("frames/")]

    def heard(self, source: str) -> float:
        """Uploads that were taken in because this source told of them."""
        labels = {"source": source, "result": "accepted"}
        return self.watch.registry.get_sample_value("topscoop_intake_arrivals_total", labels) or 0.0

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Serve for the `with` block."""
        thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="emulated cloud")
        thread.start()
        try:
            assert self._ready.wait(_READY_S), "the services did not start"
            yield
        finally:
            self._stopping()
            thread.join()
            self.database.close()

    async def _serve(self) -> None:
        promoter = build_promoter(self.config, self.database, self.objects)
        with (
            build_api(self.config, self.database) as api,
            build_intake(self.config, self.database, self.watch) as intake,
            build_recommender(self.config, self.database, RecommenderMetrics(), promoter) as recommender,
        ):
            parts: list[Any] = [api, intake, recommender]
            tasks = [asyncio.create_task(work()) for part in parts for work in part.works.values()]
            loop = asyncio.get_running_loop()
            stopped = asyncio.create_task(asyncio.Event().wait())
            self._stopping = lambda: loop.call_soon_threadsafe(stopped.cancel)
            self._ready.set()
            # The death of any ends all.
            await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            for one in ended:
                if isinstance(one, Exception):
                    raise one


@contextlib.contextmanager
def emulated_cloud(folder: Path) -> Iterator[EmulatedCloud]:
    """All of it, running, with a release."""
    from moto.server import ThreadedMotoServer

    with contextlib.ExitStack() as stack:
        phones, login = (stack.enter_context(ReservedPort()).number for _ in range(2))
        emulator = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        emulator.start()
        stack.callback(emulator.stop)
        host, port = emulator.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        s3 = S3Config(
            endpoint_url=endpoint,
            access_key="a",
            secret_key="b",
            emulated=True,
            bucket=f"frames-{uuid.uuid4()}",
        )
        intake: dict[str, Any] = {
            "bucket": f"intake-{uuid.uuid4()}",
            "queue_endpoint_url": endpoint,
            "reconcile_every_s": 60.0,  # events alone tell
        }
        asking = CloudConfig(environment="development", s3=s3, intake=IntakeConfig(**intake))
        queue = sqs_client(asking).create_queue(QueueName=f"q-{uuid.uuid4()}")["QueueUrl"]
        config = CloudConfig(
            environment="development",
            state_dir=folder / "state",
            s3=s3,
            intake=IntakeConfig(**intake, queue_url=queue),
            master_key=MasterKeyConfig(kind="file"),
            keeper=KeeperConfig(web_blanks=8),
            releases=ReleasesConfig(folder=folder / "releases"),
            console=ConsoleConfig(oidc_issuer=f"http://127.0.0.1:{login}"),
            public_api=PublicApiConfig(port=phones, public_url=f"http://{{tenant}}.localhost:{phones}"),
        )
        prepare_bucket(s3)
        assert prepare_intake(config)["events"] == "to the queue"
        identity = build_identity(config, "127.0.0.1", login)
        serving = threading.Thread(target=identity.serve_forever, name="identity")
        serving.start()
        stack.callback(identity.server_close)
        stack.callback(serving.join)
        stack.callback(identity.shutdown)
        cloud = EmulatedCloud(folder, config)
        cloud.release(folder / "releases")
        with cloud.running():
            yield cloud
