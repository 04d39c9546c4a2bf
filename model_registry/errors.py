"""What the model registry refuses, by whose fault it is."""

from wire_protocol.errors import OperatorError, TopscoopError


class RegistryError(TopscoopError):
    """The root of this package's errors."""


class UnusableDataset(OperatorError, RegistryError):
    """A data folder is missing, incomplete, of another format, or does not match its digest."""


class UnusableCheckpoint(OperatorError, RegistryError):
    """A training folder lacks what the next step needs, or was begun with other options."""


class MissingPackages(OperatorError, RegistryError):
    """A command needs packages of an extra that is not installed."""


class WorldFailed(RegistryError):
    """The simulator's process ended before it had delivered what was asked for."""


class CheckFailed(RegistryError):
    """Figures computed again differ from the committed report."""


class NoRepository(OperatorError, RegistryError):
    """The chain has no release repository yet where it was looked for."""


class RepositoryBroken(RegistryError):
    """A repository holds metadata that its keys did not sign, or lacks a file that its metadata names."""


class ReleaseRefused(OperatorError, RegistryError):
    """A change of a chain's releases that the rules do not allow, or a model that the gate refuses."""


class UnusableDraft(OperatorError, RegistryError):
    """A draft folder is incomplete, not signed enough, or was made before somebody else published."""


class UnusableKey(OperatorError, RegistryError):
    """A key file is missing, unreadable, of another kind, or its passphrase is wrong."""


class StoreAway(RegistryError):
    """The folder or bucket that holds the releases cannot be reached or written: try again later."""


class StoreFileMissing(RegistryError):
    """The repository has no such file."""


class AlreadyThere(RegistryError):
    """A file that never changes exists with other content."""


class ChangedMeanwhile(RegistryError):
    """Somebody else replaced the file since it was read."""


class VerificationFailed(RegistryError):
    """What a repository offers is not what its keys, manifests or signatures say."""
