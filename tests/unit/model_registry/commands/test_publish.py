import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.unit.model_registry.commands.conftest import CHAIN, MODEL, Model

if TYPE_CHECKING:
    from tests.builders.ceph_s3 import CephS3


def test_a_model_is_released_in_one_step_where_all_keys_are(model: Model) -> None:
    done = model(f"publish {MODEL} --release 6 --store store --keys keys --alias champion")
    assert done["published"]["targets"] == 3
    assert done["changes"][-1] == "champion is release 6"


def test_a_draft_is_published_by_the_online_keys_alone(model: Model, folder: Path) -> None:
    model(f"sign {MODEL} --release 6 --store store --out draft --key keys/targets.pem --yes")
    (folder / "online").mkdir()
    for name in ("snapshot.pem", "timestamp.pem"):
        (folder / "keys" / name).rename(folder / "online" / name)
    assert model("publish draft --store store --keys online")["published"]["targets"] == 3
    assert model(f"log --store store --chain {CHAIN}")["releases"] == [5, 6]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (f"publish {MODEL} --release 6 --keys keys", "where to?"),
        (f"publish {MODEL} --release 6 --store store", "nothing was done"),
        (f"publish {MODEL} --store store --keys keys", "a model needs a number"),
        ("publish missing --release 6 --store store --keys keys", "there is no model directory"),
    ],
    ids=["no-store", "no-keys", "no-number", "no-model"],
)
def test_wrong_use_is_told(words: str, said: str, model: Model) -> None:
    assert said in model(words)


@pytest.mark.service
def test_a_bucket_holds_a_chain(
    real_s3: "CephS3", model: Model, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way over a real S3 server, with credentials from the environment."""
    bucket = f"releases-{uuid4()}"
    real_s3.client().create_bucket(Bucket=bucket)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", real_s3.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", real_s3.secret_key)
    where = f"--store s3://{bucket}/below --s3-endpoint {real_s3.endpoint_url}"
    root = model(f"init --development --no-model-signing --chain {CHAIN} {where} --keys keys")["root"]
    model(f"publish {MODEL} --release 9 {where} --keys keys")
    found = model(f"verify {where} --chain {CHAIN} --root {root} --no-models")
    assert found["releases"] == [9]
    listed = real_s3.client().list_objects_v2(Bucket=bucket)["Contents"]
    assert all(one["Key"].startswith(f"below/tuf/{CHAIN}/") for one in listed)


def test_the_registry_needs_none_of_the_training_packages(folder: Path) -> None:
    """Signing and publishing run where only the extra [registry] is installed."""
    code = (
        "import sys\n"
        "from topscoop.cli import main\n"
        "status = main(sys.argv[1:])\n"
        "print(sorted({'torch', 'onnx', 'pyarrow', 'scipy', 'fastapi', 'sqlalchemy'} & set(sys.modules)))\n"
        "sys.exit(status)\n"
    )
    words = ["model", "publish", str(MODEL), "--release", "6", "--store", "store", "--keys", "keys"]
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(MODEL.parents[1])},
    )
    assert done.stdout.splitlines()[-1] == "[]"
