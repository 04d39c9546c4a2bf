"""The next certificate of this register, and what comes along with it."""

from collections.abc import Mapping
from pathlib import Path

from edge_agent.adapters.uplink import enrolment_client, key_files
from edge_agent.adapters.uplink.key_files import Credentials
from edge_agent.uplink.certificate_life import CertificateLife


def renew(credentials: Credentials, agent_version: str) -> CertificateLife:
    """A new TLS key and its certificate; the signing key stays, or receipts under way would lose theirs."""
    present = key_files.load(credentials.folder)
    asked = enrolment_client.Asked(present.place.identity, present.place.store, agent_version)
    applicant = enrolment_client.Applicant.new(present.signing)
    granted = enrolment_client.renew(present, applicant, asked)
    key_files.install(credentials.folder, first_root_stays(granted.files, credentials.folder))
    return key_files.life_of(granted.certificate)


def first_root_stays(files: Mapping[str, bytes], folder: Path) -> Mapping[str, bytes]:
    """What a renewal may put in place: a root of trust only where there is none.

    From the first on, the root's own keys say who follows them; who holds the cloud does not.
    """
    kept = {key_files.ROOT_FILE} if (folder / key_files.ROOT_FILE).exists() else set()
    return {name: data for name, data in files.items() if name not in kept}
