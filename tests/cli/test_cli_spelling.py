"""`runec fmt` and `runec convert`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runec.frontend import analyse

UGLY = "FROM   runicos/base\nCAPABILITY<u8>  x RAW #in\nOUT serial\n\n\nRUN x  serial"
NEAT = "FROM runicos/base\nCAPABILITY<u8> x RAW  #in\nOUT serial\n\nRUN x serial\n"


def test_fmt_changes_what_is_not_canonical_and_lists_it(
    runec: Callable[..., Any], here: Path
) -> None:
    (here / "a").write_text(UGLY)
    done = runec("fmt", "a", "noop/Runefile", "noop/Runefile.yml")
    assert (done.code, done.stdout, done.stderr) == (0, "a\n", "")
    assert (here / "a").read_text() == NEAT
    assert runec("fmt", "a").stdout == ""


def test_fmt_check_changes_nothing(runec: Callable[..., Any], here: Path) -> None:
    (here / "a").write_text(UGLY)
    done = runec("fmt", "--check", "a", "noop/Runefile")
    assert (done.code, done.stdout) == (1, "a\n")
    assert (here / "a").read_text() == UGLY
    assert runec("fmt", "--check", "noop/Runefile").code == 0


def test_fmt_goes_on_behind_a_wrong_file_and_leaves_it(
    runec: Callable[..., Any], here: Path
) -> None:
    (here / "a").write_text("FROM a b\n")
    (here / "b").write_text(UGLY)
    done = runec("fmt", "a", "b", "missing")
    assert (done.code, done.stdout) == (1, "b\n")
    assert "error[R0001]" in done.stderr
    assert "error[R1003]" in done.stderr
    assert (here / "a").read_text() == "FROM a b\n"


def test_fmt_takes_the_runefile_of_the_folder_and_keeps_links_and_modes(
    runec: Callable[..., Any], here: Path
) -> None:
    target = here / "target"
    target.write_text(UGLY)
    target.chmod(0o600)
    (here / "Runefile").symlink_to(target)
    done = runec("fmt", "--format", "json")
    assert json.loads(done.stdout) == {"path": "Runefile", "changed": True}
    assert (here / "Runefile").is_symlink()
    assert target.read_text() == NEAT
    assert target.stat().st_mode & 0o777 == 0o600


def test_fmt_does_not_write_over_a_pipe(runec: Callable[..., Any]) -> None:
    reader, writer = os.pipe()
    try:
        os.write(writer, UGLY.encode())
        os.close(writer)
        done = runec("fmt", f"/dev/fd/{reader}")
    finally:
        os.close(reader)
    assert (done.code, done.stdout) == (1, "")
    assert "error[R1003]: cannot overwrite /dev/fd/" in done.stderr


def test_fmt_takes_a_folder_for_the_runefile_in_it(runec: Callable[..., Any], here: Path) -> None:
    (here / "sub").mkdir()
    (here / "sub" / "Runefile").write_text(UGLY)
    (here / "none").mkdir()
    done = runec("fmt", "none", "sub")
    assert (done.code, done.stdout) == (1, "sub/Runefile\n")
    assert "error[R1103]: no Runefile.yml or Runefile in none" in done.stderr
    assert (here / "sub" / "Runefile").read_text() == NEAT


def test_convert_prints_yaml_with_the_same_pipeline(runec: Callable[..., Any], here: Path) -> None:
    done = runec("convert", "noop/Runefile")
    assert (done.code, done.stderr) == (0, "")
    (here / "noop" / "other.yml").write_text(done.stdout)
    assert analyse(here / "noop/other.yml").pipeline == analyse(here / "noop/Runefile").pipeline


def test_convert_writes_a_file_but_not_over_one(runec: Callable[..., Any], here: Path) -> None:
    done = runec("convert", "noop/Runefile", "-o", "new.yml")
    assert (done.code, done.stdout) == (0, "")
    assert (here / "new.yml").read_text().startswith("version: 1\n")
    (here / "new.yml").write_text("mine")
    done = runec("convert", "noop/Runefile", "-o", "new.yml")
    assert done.code == 1
    assert "error[R1107]" in done.stderr
    assert (here / "new.yml").read_text() == "mine"
    assert runec("convert", "noop/Runefile", "-o", "new.yml", "--force").code == 0
    assert (here / "new.yml").read_text().startswith("version: 1\n")


def test_convert_tells_programs_the_text(runec: Callable[..., Any], here: Path) -> None:
    assert here.is_dir()
    told = json.loads(runec("convert", "noop/Runefile", "--format", "json").stdout)
    assert told.keys() == {"runefile", "path", "text"}
    assert told["text"].endswith("- input\n")


def test_convert_refuses_yaml(runec: Callable[..., Any], here: Path) -> None:
    assert here.is_dir()
    done = runec("convert", "noop/Runefile.yml")
    assert done.code == 1
    assert "error[R0022]" in done.stderr
