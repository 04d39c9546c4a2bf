"""docs/asyncapi.yaml, made from the code.

    python -m tests.builders.asyncapi

writes it anew; `tests/architecture/test_asyncapi.py` fails while file and code differ.
"""

from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tests.builders.asyncapi_meanings import MEANINGS
from wire_protocol import consent, envelope, fields, limits, sealing
from wire_protocol.keys import KEY_ID_BYTES, Algorithm
from wire_protocol.messages import ATTACHED, PAYLOADS, Verdict
from wire_protocol.reasons import Reason
from wire_protocol.topics import RECEIPTED, ROOT, Down, Identity, Kind, Topic, Up

FILE: Final = Path(__file__).parents[2] / "docs" / "asyncapi.yaml"
RENEW: Final = "python -m tests.builders.asyncapi"

_SIGNED_BY: Final = {
    Down.RECEIPT: "receipts",
    Down.BLANKS: "consent",
    Down.ERASE: "consent",
    Down.DESIRED: "fleet",
    Down.FILE_BLOCK: "files",
    Down.HANDOVER: "consent",
}
_RETAINED: Final = {Up.STATUS, Down.DESIRED}
_MQTT: Final = {"bindingVersion": "0.2.0"}
_DESCRIPTION: Final = """\
What a register and the cloud say to each other over MQTT 5. Seen from the register: `send` goes up, `receive`
comes down. wire-protocol.md explains it, register-in-another-language.md builds every message byte by byte.

An MQTT payload is a CBOR array of byte strings, `[envelope, attachment, ...]`. The envelope is a COSE_Sign1
(RFC 9052, tag 18). Below, `headers` is its protected header and `payload` its payload, both CBOR maps in the
one deterministic encoding; `x-attachments` is what follows it. In these schemas `format: binary` is a CBOR
byte string whose lengths are in bytes, `type: number` is a CBOR integer or float, names of properties are
CBOR text strings, and the labels 1, 3 and 4 of the header are CBOR integers. A property that is not required
is left out of the map, never null. Times are milliseconds since 1970-01-01 UTC by the sender's clock.
"""


def document() -> dict[str, Any]:
    """The whole description."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Topscoop registers",
            "version": f"{envelope.SCHEMA_VERSION}.0.0",
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/cbor",
        "servers": {"broker": _server()},
        "channels": {_id(kind): _channel(kind) for kind in PAYLOADS},
        "operations": {_operation_id(kind): _operation(kind) for kind in PAYLOADS},
        "components": {
            "messages": {_id(kind): _message(kind) for kind in PAYLOADS},
            "schemas": {
                "ConsentBlank": _signed(consent.Blank, consent.AAD_BLANK, "a `consent` key of the tenant"),
                "ConsentReceipt": _signed(consent.Consent, consent.AAD_RECEIPT, "the register's signing key"),
                "Reason": {"type": "string", "enum": [reason.value for reason in Reason]},
                "Verdict": {"type": "string", "enum": [verdict.value for verdict in Verdict]},
            },
            "securitySchemes": {"certificate": {"type": "X509", "description": "From enrolment.md."}},
        },
        "x-limits": _limits(),
        "x-constants": _constants(),
    }


def text() -> str:
    """As it stands in the file."""
    head = f"# Made from the code: {RENEW}\n"
    return head + yaml.dump(document(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)


class _Plain(yaml.SafeDumper):
    """Without aliases, and with texts of several lines as they are."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Plain.add_representer(
    str,
    lambda dumper, value: dumper.represent_scalar(
        "tag:yaml.org,2002:str", value, style="|" if "\n" in value else None
    ),
)


def _server() -> dict[str, Any]:
    will = str(Topic(_ANYBODY, Up.STATUS)).replace(*_PLACES[0]).replace(*_PLACES[1])
    return {
        "host": "{host}:{port}",
        "protocol": "mqtts",
        "protocolVersion": "5",
        "description": "Host and port come with enrolment. TLS 1.2 or later with the client certificate; the "
        "broker's certificate is from the authority `ca_pem`. MQTT 5 only; set TCP_NODELAY.",
        "variables": {"host": {"description": "broker.host"}, "port": {"description": "broker.port"}},
        "security": [{"$ref": "#/components/securitySchemes/certificate"}],
        "bindings": {
            "mqtt": {
                "clientId": "{tenant}/{register}",
                "cleanSession": True,
                "keepAlive": 30,
                "sessionExpiryInterval": 0,
                "lastWill": {
                    "topic": will,
                    "qos": 1,
                    "retain": True,
                    "message": "A status message with online = false, made before connecting.",
                },
                **_MQTT,
            }
        },
    }


_ANYBODY: Final = Identity("tenant", "register")
_PLACES: Final = (("/tenant/", "/{tenant}/"), ("/register/", "/{register}/"))


def _id(kind: Kind) -> str:
    return f"{'up' if isinstance(kind, Up) else 'down'}-{kind}"


def _operation_id(kind: Kind) -> str:
    return f"{'send' if isinstance(kind, Up) else 'receive'}-{kind}"


def _channel(kind: Kind) -> dict[str, Any]:
    address = str(Topic(_ANYBODY, kind)).replace(*_PLACES[0]).replace(*_PLACES[1])
    assert address.startswith(f"{ROOT}/{{tenant}}/{{register}}/")
    return {
        "address": address,
        "messages": {_id(kind): {"$ref": f"#/components/messages/{_id(kind)}"}},
        "parameters": {
            "tenant": {"description": "As enrolment named it."},
            "register": {"description": "As enrolment named it."},
        },
    }


def _operation(kind: Kind) -> dict[str, Any]:
    upwards = isinstance(kind, Up)
    return {
        "action": "send" if upwards else "receive",
        "channel": {"$ref": f"#/channels/{_id(kind)}"},
        "messages": [{"$ref": f"#/channels/{_id(kind)}/messages/{_id(kind)}"}],
        "bindings": {"mqtt": {"qos": 1, **({"retain": kind in _RETAINED} if upwards else {}), **_MQTT}},
    }


def _message(kind: Kind) -> dict[str, Any]:
    payload = PAYLOADS[kind]
    room = limits.BLANKS_PAYLOAD_MAX_BYTES if kind is Down.BLANKS else limits.PAYLOAD_MAX_BYTES
    return {
        "name": str(kind),
        "summary": _summary(payload),
        "contentType": "application/cbor",
        "headers": _header(kind),
        "payload": _described(payload),
        "x-payload-max-bytes": room,
        "x-attachments": list(ATTACHED.get(kind, ())),
        "x-external-aad": (envelope.AAD_UP if isinstance(kind, Up) else envelope.AAD_DOWN).decode(),
        "x-signed-by": (
            "the register's signing key"
            if isinstance(kind, Up)
            else f"a `{_SIGNED_BY[kind]}` key of the tenant"
        ),
        **({"x-receipted": kind in RECEIPTED} if isinstance(kind, Up) else {"x-retained": kind in _RETAINED}),
    }


def _header(kind: Kind) -> dict[str, Any]:
    digests = len(ATTACHED.get(kind, ()))
    time, name = fields.Uint(limits.TIME_MAX_MS), fields.json_schema(consent.Blank)["properties"]["tenant"]
    digest = fields.Octets(envelope.DIGEST_BYTES, envelope.DIGEST_BYTES).schema()
    properties: dict[str, Any] = {
        "1": {"enum": [int(algorithm) for algorithm in Algorithm]},
        "3": {"const": envelope.content_type(kind)},
        "4": fields.Octets(KEY_ID_BYTES, KEY_ID_BYTES).schema(),
        "at": time.schema(),
        "attached": {"type": "array", "minItems": digests, "maxItems": digests, "items": digest},
        "id": fields.Octets(envelope.MESSAGE_ID_BYTES, envelope.MESSAGE_ID_BYTES).schema(),
        "register": name,
        "seq": fields.Uint().schema() if isinstance(kind, Up) else {"const": 0},
        "tenant": name,
        "v": {"const": envelope.SCHEMA_VERSION},
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def _signed(payload: type[Any], aad: bytes, signer: str) -> dict[str, Any]:
    return {
        **_described(payload),
        "description": f"{_summary(payload)} The payload of a COSE_Sign1 (tag 18) with the protected header "
        "{1: algorithm, 4: key id}, an empty unprotected header and the external AAD below.",
        "x-external-aad": aad.decode(),
        "x-signed-by": signer,
    }


def _summary(kind: type[Any]) -> str:
    assert kind.__doc__, f"{kind} has no docstring"
    return " ".join(kind.__doc__.split("\n\n")[0].split())


def _described(kind: type[Any]) -> dict[str, Any]:
    """A payload's schema with the meaning of each field, nested ones too."""
    schema = fields.json_schema(kind)
    shapes = fields._shapes(kind)
    properties = {}
    for name, one in schema["properties"].items():
        inner = shapes[name].of
        if is_dataclass(inner):
            nested = _described(inner)
            one = {**one, "items": nested} if one["type"] == "array" else nested  # noqa: PLW2901
        properties[name] = {"description": MEANINGS[kind][name], **one}
    return {**schema, "properties": properties}


def _limits() -> dict[str, int]:
    return {name: value for name, value in vars(limits).items() if name.isupper() and isinstance(value, int)}


def _constants() -> dict[str, Any]:
    return {
        "cose_algorithms": {algorithm.name: int(algorithm) for algorithm in Algorithm},
        "schema_version": envelope.SCHEMA_VERSION,
        "aad_up": envelope.AAD_UP.decode(),
        "aad_down": envelope.AAD_DOWN.decode(),
        "aad_consent_blank": consent.AAD_BLANK.decode(),
        "aad_consent_receipt": consent.AAD_RECEIPT.decode(),
        "seal_info_label_hex": envelope.SEAL_LABEL.hex(),
        "seal": {
            "mode": "HPKE base mode (RFC 9180), one message, empty aad",
            "kem": "DHKEM(X25519, HKDF-SHA256), 0x0020",
            "kdf": "HKDF-SHA256, 0x0001",
            "aead": "AES-256-GCM, 0x0002",
        },
        "seal_overhead_bytes": sealing.OVERHEAD_BYTES,
        "frame_purpose": consent.FRAME_PURPOSE.value,
    }


def main() -> None:
    """Write the file."""
    FILE.write_text(text(), encoding="utf-8")
    print(f"wrote {FILE.name}")


if __name__ == "__main__":
    main()
