"""The command in a place of its own; see lab/command.py."""
import pytest

from lab.command import Command


@pytest.fixture
def command(tmp_path):
    made = Command(tmp_path)
    yield made
    made.close()
