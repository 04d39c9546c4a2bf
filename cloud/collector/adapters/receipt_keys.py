"""The keys that sign receipts, read once for each tenant."""

from cloud.service_keys import Purpose, ServiceKeyFolder
from wire_protocol.keys import SigningKey


class ReceiptKeys:
    """A `SignerOf` over the state folder; a missing key is looked for again at each message."""

    def __init__(self, folder: ServiceKeyFolder) -> None:
        self._folder = folder
        self._keys: dict[str, SigningKey] = {}

    def __call__(self, tenant: str) -> SigningKey:
        """The key of a tenant; raises ServiceKeyMissing."""
        key = self._keys.get(tenant)
        if key is None:
            key = self._keys[tenant] = self._folder.load(tenant, Purpose.RECEIPTS)
        return key
