from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

# Bash and fish ask with the number of the word, from 0; each item is "type,value" or with its help.
HEAVY = ("msgspec", "lark", "numpy", "runec.cli.build", "runec.cli.run")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_printed_for_each_shell(runec: Callable[..., Any], shell: str) -> None:
    done = runec("completion", shell)
    assert (done.code, done.stderr) == (0, "")
    assert "_RUNEC_COMPLETE" in done.stdout
    if program := shutil.which(shell):
        subprocess.run([program, "-n"], input=done.stdout, text=True, check=True)


def completed(words: str, count: int, code: str = "") -> str:
    environment = {
        **os.environ,
        "_RUNEC_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(count),
    }
    script = (
        f"import sys; from runec.cli import main\ntry:\n    main()\nfinally:\n    {code or 'pass'}"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False
    )
    return done.stdout


def test_verbs_are_completed_without_importing_them() -> None:
    said = completed("runec co", 1, "print('modules', *sys.modules)")
    lines = said.splitlines()
    assert {"plain,convert", "plain,completion", "plain,components"} <= set(lines)
    (modules,) = [line.split() for line in lines if line.startswith("modules ")]
    assert not set(HEAVY) & set(modules)


def test_options_and_choices_of_a_verb_are_completed() -> None:
    assert "plain,--check" in completed("runec fmt --", 2).splitlines()
    assert completed("runec new --template g", 3).splitlines() == ["plain,gesture"]
    assert completed("runec check ", 2).startswith("file,")


def test_an_unknown_shell_is_a_mistake_of_usage(runec: Callable[..., Any]) -> None:
    assert runec("completion", "cmd").code == 2
