"""What every verb does that changes a chain's targets."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from model_registry.commands.options import author, finish, now, open_store

if TYPE_CHECKING:
    from model_registry.releases.edits import Editor


def change_targets(args: argparse.Namespace, change: Callable[[Editor], None]) -> int:
    """Make one change to the present targets, then sign, write or publish it as the options say."""
    from tuf.api.metadata import Metadata

    from model_registry.releases.draft import Draft
    from model_registry.releases.edits import Editor
    from model_registry.releases.state import read_state

    state = read_state(open_store(args))
    editor = Editor(state, by=author(args), now=now())
    change(editor)
    edit = editor.done()
    draft = Draft(state.chain, state.roots[-1], state.targets, None, Metadata(edit.targets), dict(edit.files))
    return finish(args, draft)
