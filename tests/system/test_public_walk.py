"""A phone's whole way over real services: login, PUT, the store's event, three flavours, the end."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from cloud.database.schema import web_blanks
from tests.builders.cloud_database import service_url
from tests.builders.collector_stack import wait_for
from tests.builders.hostile_pictures import photo
from tests.builders.public_cloud import TENANT, PublicCloud
from tests.builders.residue import JPEG, in_buckets, in_files, pieces
from tests.builders.strict_provider import strict_provider, web_client
from tests.builders.walking_phone import WalkingPhone, phone_browser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from tests.builders.ceph_s3 import CephS3
    from tests.builders.postgres import PostgresCluster, PostgresDatabase

pytestmark = [pytest.mark.service, pytest.mark.timeout(300)]

_CLIENT, _SECRET = "topscoop", "a-secret-of-ours-there"
SUBJECT = "walker-4711-subject"
EMAIL = f"{SUBJECT}@mail.example"
CANARY = "a-place-that-only-the-photo-knows"
WITHIN_S = 60
ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "public-api-walk.md"
_BETWEEN = "--- next block ---"


@dataclass
class Stage:
    """All that runs."""

    cloud: PublicCloud
    browser: Browser
    cluster: PostgresCluster

    def residue(self, needles: dict[str, bytes]) -> list[str]:
        """Where any of these is.

        Searched: PostgreSQL's files, heap and log of changes included; the state folder, configuration
        and logs; every version of every object, its key and metadata; the S3 server's own logs and settings.
        Not the S3 server's disk below its objects: blocks of deleted ones wait there to be written over.
        """
        with self.cluster.connect() as connection:
            connection.execute("CHECKPOINT")
        cloud = self.cloud
        return [
            *in_files(self.cluster.folder, needles),
            *in_files(cloud.folder, needles, without=("releases",)),
            *in_files(cloud.s3.folder, needles, without=("block",)),
            *in_buckets(cloud.s3, needles, cloud.bucket, cloud.intake_bucket),
        ]


@pytest.fixture(scope="module")
def database(postgres_cluster: PostgresCluster) -> Iterator[PostgresDatabase]:
    with postgres_cluster.fresh_database() as made:
        yield made


@pytest.fixture(scope="module")
def stage(
    real_s3: CephS3,
    postgres_cluster: PostgresCluster,
    database: PostgresDatabase,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("walk") / "cloud"
    cloud = PublicCloud(folder, real_s3, service_url(database), database.owner_url)
    redirect = f"{cloud.url}/login/callback/{{issuer_key}}"
    with strict_provider([web_client(_CLIENT, _SECRET, redirect)]) as provider, cloud:
        cloud.add_issuer(provider.issuer, _CLIENT, _SECRET)
        wait_for(lambda: len(cloud.rows(web_blanks, TENANT)) > 0, "the keeper made blanks", WITHIN_S)
        with phone_browser() as browser:
            yield Stage(cloud, browser, postgres_cluster)


@pytest.fixture(scope="module")
def photo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As cameras write it: where and what it shows stands in its EXIF."""
    file = tmp_path_factory.mktemp("photos") / "photo.jpg"
    exif = Image.Exif()
    exif[0x010E] = CANARY
    Image.fromarray(photo(1600, 1200)).save(file, quality=92, exif=exif)
    return file


def needles_of(*pictures: bytes) -> dict[str, bytes]:
    """What must be found nowhere: these pictures, whoever sent them, what their EXIF says, any JPEG."""
    found = {
        f"picture {number}, piece {piece}": needle
        for number, picture in enumerate(pictures)
        for piece, needle in enumerate(pieces(picture))
    }
    return found | {
        "a JPEG": JPEG,
        "EXIF": CANARY.encode(),
        "subject": SUBJECT.encode(),
        "e-mail": EMAIL.encode(),
        "EXIF in base64": base64.b64encode(CANARY.encode())[:40],
    }


def test_a_phone_goes_the_whole_way(stage: Stage, photo_file: Path) -> None:
    """T26: camera, event, three flavours, nothing left; then all events lost, and kept sealed; then erased.

    Neither while a picture is kept nor afterwards does any store, file or log hold a picture, what its EXIF
    says, the person's subject or their e-mail address, which the provider tells unasked.
    """
    cloud = stage.cloud
    before = {source: cloud.heard(source) for source in ("webhook", "look")}
    phone = WalkingPhone(stage.browser, cloud.url)
    phone.open()
    phone.log_in_strictly("The club", SUBJECT)

    phone.take_picture()
    looked_at = phone.send(improve=False)
    first = phone.names()
    assert len(set(first)) == 3
    wait_for(lambda: cloud.uploads() == 0, "the picture is gone", WITHIN_S)
    assert cloud.heard("webhook") == before["webhook"] + 1
    assert cloud.versions() == []

    # The page's own word is lost, too.
    phone.page.route("**/complete", lambda route: route.fulfill(json={}))
    phone.another()
    phone.choose(photo_file)
    with cloud.lost_events():
        kept = phone.send(improve=True)
    assert len(set(phone.names())) == 3
    wait_for(lambda: cloud.uploads() == 0, "it is kept elsewhere", WITHIN_S)
    assert cloud.heard("look") == before["look"] + 1
    (version,) = cloud.versions()
    sealed = cloud.body(*version)
    assert not any(piece in sealed for piece in pieces(kept))
    chain = {"the chain": TENANT.encode(), "sealed": sealed[-64:]}
    found = stage.residue(chain)
    for place in (stage.cluster.folder, cloud.state_dir, cloud.folder / "api.log", cloud.bucket):
        assert any(one.startswith(str(place)) for one in found), f"the search looks into {place}"
    needles = needles_of(looked_at, kept, photo_file.read_bytes())
    assert stage.residue(needles) == []

    proof = phone.erase_everything()
    phone.wait_until_erased()
    told = phone.asks(f"/v1/erasures/{proof}")
    assert told["state"] == "done"
    counts = {"uploads": 2, "recommendations": 2, "outcomes": 0, "consents": 1, "sessions": 1}
    assert told["counts"] == counts
    assert cloud.versions() == []
    assert phone.complaints == []
    phone.close()
    assert stage.residue(needles) == []


def commands(page: str) -> list[tuple[str, str]]:
    """Every block of commands, with what stands below it as their output, or nothing."""
    found = re.findall(r"```sh\n(.*?)```\n(?:\n```(?:json)?\n(.*?)```)?", page, re.DOTALL)
    assert len(found) == page.count("```sh")
    return found


def fits(shown: str, printed: str) -> bool:
    """Whether a page shows what was printed; its `…` stands for anything within a line."""
    pattern = ".*".join(re.escape(part) for part in shown.split("…"))
    return re.fullmatch(pattern, printed) is not None


def test_the_page_of_commands_goes_the_whole_way(stage: Stage, photo_file: Path, tmp_path: Path) -> None:
    """T26: every command of the page does and prints what it says, and nothing of the picture stays.

    The picture is sent with its EXIF, as a careless partner would.
    """
    cloud, text = stage.cloud, PAGE.read_text("utf-8")
    looked = cloud.heard("look")
    authority = cloud.state_dir / "pki" / "services-ca.crt"
    here = {
        "https://gelateria-sole.localhost:8440": cloud.url,
        "docker compose cp gateway:/etc/topscoop-gateway/services-ca.crt": f"cp {authority}",
        "docker compose exec -T recommender python": f"PYTHONPATH={ROOT} {sys.executable}",
        "docker compose exec -T api topscoop cloud api-client add": (
            f"PYTHONPATH={ROOT} {sys.executable} -m topscoop cloud api-client add --config {cloud.config}"
        ),
        "> photo.jpg": f"> small.jpg\ntest -s small.jpg\ncp {photo_file} photo.jpg",
    }
    for theirs, ours in here.items():
        assert theirs in text, theirs
        text = text.replace(theirs, ours)
    blocks = commands(text)
    script = f"\necho '{_BETWEEN}'\n".join(block for block, _ in blocks)
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    printed = done.stdout.split(f"{_BETWEEN}\n")
    for (block, shown), output in zip(blocks, printed, strict=True):
        assert fits(shown, output), f"{block}\nprints\n{output}\nnot\n{shown}"
    photo_bytes = photo_file.read_bytes()
    wait_for(lambda: cloud.uploads() == 0, "the picture is gone", WITHIN_S)
    assert cloud.heard("look") == looked
    assert stage.residue(needles_of(photo_bytes)) == []
