"""Takes frames from the broker and throws them away: `python -m benchmarks.taker STATE_DIR PORT ANNOUNCE`."""

import sys
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from cloud.broker.control import tls_context
from cloud.broker.rights import COLLECTOR
from cloud.enrolment.pki_folder import PkiFolder
from wire_protocol.topics import FRAMES_SHARE


def main() -> None:
    """Until killed."""
    state_dir, port, announcement = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.tls_set_context(tls_context(PkiFolder(state_dir).service_files(COLLECTOR)))
    client.on_connect = lambda c, *_: c.subscribe(FRAMES_SHARE, 1)
    client.on_subscribe = lambda *_: announcement.touch()
    client.connect("127.0.0.1", port)
    client.loop_forever()


if __name__ == "__main__":
    main()
