"""What can go wrong in the cloud, by whose fault it is; sub-packages add their own."""

from wire_protocol.errors import OperatorError, TopscoopError


class StandInRefused(OperatorError):
    """A stand-in for what protects customers is configured outside of development."""


class StateFolderError(OperatorError):
    """The state folder cannot be made, or others may read it."""


class UnknownTenant(OperatorError):
    """No chain of that name was added."""


class TenantExists(OperatorError):
    """A chain of that name was added before."""


class ServiceKeyMissing(OperatorError):
    """The private half of a tenant's service key is not in the state folder."""


class DatabaseAway(TopscoopError):
    """The database cannot be reached, is full or too busy; nothing of the transaction was kept. Try later."""


class DatabaseNotMigrated(OperatorError):
    """The database lacks tables of this version, or comes from a newer one."""


class DatabaseRoleTooStrong(OperatorError):
    """The database's role can see past row-level security; a service must not run with it."""


class DatabaseUnprotected(OperatorError):
    """A table of tenants' data has no row-level security."""


class BackupError(OperatorError):
    """A backup cannot be written, or one that is to be restored is incomplete or altered."""


class TargetNotEmpty(OperatorError):
    """A restore would overwrite what is there."""


class PortBusy(OperatorError):
    """Another program listens on the address of a service."""
