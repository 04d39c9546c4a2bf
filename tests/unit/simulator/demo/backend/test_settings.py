import tomllib
from pathlib import Path

from simulator.demo.agent_process import to_toml
from simulator.demo.backend.settings import Ports, broker_toml, cloud_settings

_PORTS = Ports(registers=1883, services=1884, console=1885, identity=1886, phones=1887)


def test_the_brokers_configuration_is_toml_with_tls_for_registers_only() -> None:
    found = tomllib.loads(broker_toml(_PORTS, Path("/state/pki")))
    registers, services = found["v5"]["1"], found["v5"]["2"]
    assert registers["listen"] == "127.0.0.1:1883"
    assert registers["tls"]["keypath"] == "/state/pki/server.key"
    assert services["listen"] == "127.0.0.1:1884"
    assert "tls" not in services


def test_stand_ins_stand_in_development_only() -> None:
    found = tomllib.loads(to_toml(cloud_settings(Path("/state"), "http://127.0.0.1:5", 1884, _PORTS)))
    assert found["environment"] == "development"
    assert found["s3"]["emulated"] is True
    assert found["enrolment"]["broker_port"] == 1883
    assert found["console"]["public_url"] == "http://localhost:1885"
    assert found["console"]["oidc_issuer"] == "http://localhost:1886"
    assert found["releases"]["folder"] == "/releases"
    assert found["public_api"]["port"] == 1887
    assert found["public_api"]["public_url"] == "http://{tenant}.localhost:1887"
    assert found["intake"]["bucket"] != found["s3"]["bucket"]
