"""The public API as processes: broker, keeper, intake, recommender and API, set up with commands alone."""

from __future__ import annotations

import contextlib
import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from tests.builders.release_repository import ReleaseRepository
from tests.builders.whole_cloud import WholeCloud

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.builders.ceph_s3 import CephS3

TENANT = "gelateria-sole"
_WEBHOOK_TOKEN = "a-token-of-the-webhook"


class PublicCloud(WholeCloud):
    """One chain with a published release, and everything that answers its phones; as `WholeCloud`.

    The S3 server tells intake's webhook of each upload; `lost_events` has it forget to.
    """

    services: ClassVar[Sequence[str]] = ("keeper", "intake", "recommender", "api")
    ports: ClassVar[Sequence[str]] = (*WholeCloud.ports, "intake", "recommender", "api", "webhook", "phones")

    def __init__(
        self,
        folder: Path,
        s3: CephS3,
        database_url: str | None = None,
        owner_url: str | None = None,
        **tables: Mapping[str, Any],
    ) -> None:
        self.intake_bucket = f"intake-{uuid.uuid4()}"
        self.releases = folder / "releases"
        super().__init__(folder, s3, database_url, owner_url, **tables)

    @property
    def port(self) -> int:
        """Where the API listens, on loopback."""
        return self._ports["phones"].number

    @property
    def url(self) -> str:
        """The chain's host."""
        return f"http://{TENANT}.localhost:{self.port}"

    def set_up(self) -> None:
        """Set-up, the chain, and its first release."""
        repository = ReleaseRepository(self.releases, TENANT)
        repository.add_release(1, note=None)
        super().set_up()
        self.command("tenant", "add", TENANT, "--name", "Gelateria Sole")
        root = self.folder / "root.json"
        root.write_bytes(repository.first_root)
        self.command("tenant", "trust", TENANT, str(root))
        self.command("releases", "look", "--tenant", TENANT)

    def add_issuer(self, issuer: str, client_id: str, secret: str) -> None:
        """Let people in who log in there."""
        file = self.folder / "issuer-secret"
        file.touch(mode=0o600)
        file.write_text(secret)
        where = ("--tenant", TENANT, "--issuer", issuer, "--label", "The club")
        self.command("issuer", "add", *where, "--client-id", client_id, "--client-secret-file", str(file))

    @contextlib.contextmanager
    def lost_events(self) -> Iterator[None]:
        """For the `with` block the S3 server tells nobody of uploads, but of keys that there are none of."""
        client, bucket = self.s3.client(), {"Bucket": self.intake_bucket}
        told = client.get_bucket_notification_configuration(**bucket)["TopicConfigurations"]

        def tell(filters: Mapping[str, Any]) -> None:
            configured = [
                {name: one[name] for name in ("Id", "TopicArn", "Events")} | filters for one in told
            ]
            client.put_bucket_notification_configuration(
                **bucket, NotificationConfiguration={"TopicConfigurations": configured}
            )

        tell({"Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "nothing/"}]}}})
        try:
            yield
        finally:
            tell({})
            client.close()

    def uploads(self) -> int:
        """Pictures in the intake bucket."""
        client = self.s3.client()
        count = int(client.list_objects_v2(Bucket=self.intake_bucket)["KeyCount"])
        client.close()
        return count

    def heard(self, source: str) -> float:
        """Uploads that were taken in because this source told of them."""
        name = f'topscoop_intake_arrivals_total{{result="accepted",source="{source}"}}'
        return self.metrics("intake").get(name, 0.0)

    def more_tables(self, port: Mapping[str, int]) -> Mapping[str, Mapping[str, Any]]:
        """As an operator would write them, with shorter waits."""
        return {
            "keeper": {"web_blanks": 8},
            "releases": {"folder": str(self.releases)},
            "intake": {
                "bucket": self.intake_bucket,
                "port": port["webhook"],
                "webhook_url": f"http://127.0.0.1:{port['webhook']}/events",
                "webhook_token": _WEBHOOK_TOKEN,
                "reconcile_every_s": 0.5,
                "health_port": port["intake"],
            },
            "recommender": {"health_port": port["recommender"]},
            "public_api": {
                "port": port["phones"],
                "public_url": f"http://{{tenant}}.localhost:{port['phones']}",
                "health_port": port["api"],
            },
        }
