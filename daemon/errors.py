"""What can go wrong before a process begins its work."""

from wire_protocol.errors import OperatorError


class ConfigError(OperatorError):
    """The configuration file, an environment variable or a command-line option is wrong."""

    def __init__(self, message: str, *, remedy: str = "", problems: tuple[str, ...] = ()) -> None:
        super().__init__(message, remedy=remedy)
        self.problems = problems or (message,)
