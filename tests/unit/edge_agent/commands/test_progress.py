from io import StringIO

from edge_agent.commands.progress import Progress


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_grows_on_a_terminal_and_goes_away() -> None:
    stream = Terminal()
    with Progress("clip", 4, stream=stream) as progress:
        progress.show(1)
        progress.show(4)
    written = stream.getvalue()
    assert " 25%" in written
    assert "100%" in written
    assert written.endswith("\r\033[K")


def test_without_a_total_the_count_is_shown() -> None:
    stream = Terminal()
    Progress("clip", None, stream=stream).show(17)
    assert stream.getvalue().endswith("clip 17")


def test_a_pipe_gets_nothing() -> None:
    stream = StringIO()
    with Progress("clip", 4, stream=stream) as progress:
        progress.show(2)
    assert stream.getvalue() == ""
