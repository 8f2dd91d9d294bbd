from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_the_schema_is_printed_or_written(runec: Callable[..., Any], here: Path) -> None:
    done = runec("schema")
    assert (done.code, done.stderr) == (0, "")
    schema = json.loads(done.stdout)
    assert schema["title"] == "Runefile"
    assert runec("schema", "-o", "runefile.schema.json").stdout == ""
    written = json.loads((here / "runefile.schema.json").read_text())
    assert written.pop("$comment").startswith("written by runec, sha256:")
    assert written == schema
