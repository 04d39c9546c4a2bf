"""Who asks: an operator of one chain, with a role. A method that takes one filters by its tenant."""

from dataclasses import dataclass
from enum import StrEnum

from wire_protocol.errors import OperatorError


class Role(StrEnum):
    """What somebody may do; each may do what the ones before may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """Whether this role may do what `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


class NotAllowed(OperatorError):
    """The operator's role does not allow this."""


@dataclass(frozen=True, slots=True)
class Principal:
    """One operator, logged in; or the command line on the server itself, which is an admin.

    Attributes:
        operator: Id, 16 bytes; empty for the command line.
        name: For timelines and the audit log.
    """

    tenant: str
    operator: bytes
    name: str
    role: Role

    def require(self, role: Role) -> None:
        """Raise NotAllowed where the role is less than `role`."""
        if not self.role.includes(role):
            raise NotAllowed(
                f"{self.name} is {self.role}, this needs {role}",
                remedy="Ask an admin of your chain for the role, or to do it.",
            )
