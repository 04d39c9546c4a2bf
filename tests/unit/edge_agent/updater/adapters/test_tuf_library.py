"""python-tuf is imported without what it would look for."""

import subprocess
import sys

from edge_agent.updater.adapters.tuf_library import UNUSED_LIBRARIES


def test_the_updater_loads_little() -> None:
    """Neither key stores nor the runtime of networks; what was kept away may be imported afterwards."""
    code = (
        "import sys\n"
        "from edge_agent.updater import process\n"
        "from edge_agent.updater.adapters.tuf_library import import_tuf\n"
        "import_tuf()\n"
        "import edge_agent.updater.adapters.tuf_trust\n"
        "print(sorted(n for n in sys.modules if n.split('.')[0] in (*sys.argv[1:], 'onnxruntime', 'cv2')))\n"
        "import boto3\n"
    )
    said = subprocess.check_output([sys.executable, "-c", code, *UNUSED_LIBRARIES], text=True)
    assert said.strip() == "[]"
