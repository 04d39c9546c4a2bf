"""The broker's control from the configuration; only commands import this."""

from cloud.broker.control import BrokerControl
from cloud.broker.rights import ADMIN
from cloud.config import CloudConfig
from cloud.enrolment.pki_folder import CredentialFiles, PkiFolder


def open_control(config: CloudConfig) -> BrokerControl:
    """Rights at the broker, as the service `admin`.

    Raises:
        PkiError: Its certificate is missing; `topscoop cloud setup` makes it.
    """
    return BrokerControl(config.mqtt, service_credentials(config, ADMIN) if config.mqtt.tls else None)


def service_credentials(config: CloudConfig, service: str) -> CredentialFiles:
    """A service's certificate: the one that the configuration names, or its own in `state_dir/pki`."""
    mqtt = config.mqtt
    if mqtt.certificate_file is None or mqtt.key_file is None:
        own = PkiFolder(config.state_dir).service_files(service)
        return CredentialFiles(mqtt.ca_file or own.ca, own.certificate, own.key)
    ca = mqtt.ca_file or PkiFolder(config.state_dir).services_certificate
    return CredentialFiles(ca, mqtt.certificate_file, mqtt.key_file)
