"""Imports python-tuf without the key stores that it would look for."""

import importlib
import sys
from typing import Any, Final

UNUSED_LIBRARIES: Final = ("azure", "boto3", "botocore", "google", "pyspx", "PyKCS11", "sigstore")
"""securesystemslib looks for them when it is imported, to sign with; a register signs nothing, and on a
machine that has them they take half a second."""


def import_tuf() -> None:
    """Import it; whatever of the libraries above is not imported yet may be imported afterwards."""
    modules: dict[str, Any] = sys.modules
    absent = [name for name in UNUSED_LIBRARIES if name not in modules]
    modules.update(dict.fromkeys(absent))  # None is how Python says: not there
    try:
        importlib.import_module("tuf.ngclient")
    finally:
        for name in absent:
            del modules[name]
