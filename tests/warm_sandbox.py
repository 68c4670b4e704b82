"""The warm start as the tests use it: a contestant's source, run by a fork of a Python that has started before."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from itertools import count
from pathlib import Path

from optagent.languages.python import toolbox_folder
from optagent.sandbox.base import Command, Limits, Mount, Profile
from optagent.sandbox.bwrap import Bwrap
from optagent.sandbox.live import Live

TREE, TOOLBOX = "/optagent/tree", "/optagent/toolbox"
FORKER = f"""
import _socket, os, sys
sys.path.insert(0, '{TOOLBOX}')
channel = _socket.socket(fileno=int(os.environ.pop('OPTAGENT_FD')))
if os.environ.pop('OPTAGENT_FORKS', ''):
    known = {{*sys.modules}}
    import optagent_nursery
    channel = optagent_nursery.serve(channel, known)
os.environ['OPTAGENT_FD'] = str(channel.detach())
with open('{TREE}/main.py') as source: program = source.read()
exec(compile(program, 'main.py', 'exec'), {{'__name__': '__main__'}})
"""


class Forks(Bwrap):
    """Opens `python -c SOURCE` as a fork: its source lies in a tree of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.ground = Path(tempfile.mkdtemp()).resolve()
        weakref.finalize(self, shutil.rmtree, self.ground)
        self.ground.chmod(0o755)
        self.toolbox = toolbox_folder.install(self.ground / "toolbox")
        self.numbers = count()

    def open(self, command: Command, limits: Limits, profile: Profile = Profile.CONTESTANT) -> Live:
        live = super().open(self.command(command), limits, profile)
        assert not self.nurseries.refusal, self.nurseries.refusal
        return live

    def command(self, command: Command) -> Command:
        tree = self.ground / f"tree-{next(self.numbers)}"
        tree.mkdir()
        (tree / "main.py").write_text(command.argv[-1])
        for made, mode in ((tree, 0o755), (tree / "main.py", 0o644)):
            os.chmod(made, mode)
        python, *_ = command.argv
        mounts = (*command.mounts, Mount(self.toolbox, TOOLBOX), Mount(tree, TREE, self.ground))
        return Command((python, "-c", FORKER), command.cwd, mounts, command.env, forks=True)
