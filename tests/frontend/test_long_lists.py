"""Long lists of labels: what `runec fmt` does no more often than it must."""

from __future__ import annotations

from runec.diagnostics import SourceFile
from runec.frontend import yaml_nodes
from runec.frontend.format_legacy import format_legacy
from runec.frontend.formatting import format_runefile

YAML = """version: 1
image: runicos/base
pipeline:
  x: {capability: RAW, outputs: [{type: u32, dimensions: [1]}]}
  label:
    proc-block: label
    inputs: [x]
    outputs: [{type: utf8, dimensions: [1]}]
    args: {labels: [one,   two]}
  serial: {out: SERIAL, inputs: [label]}
"""


def test_each_text_is_read_once() -> None:
    before = yaml_nodes._tree.cache_info().misses
    formatted = format_runefile(YAML, "Runefile.yml")
    assert formatted != YAML
    assert yaml_nodes._tree.cache_info().misses - before == 2
    assert format_runefile(formatted, "Runefile.yml") == formatted
    assert yaml_nodes._tree.cache_info().misses - before == 2


def test_a_long_list_of_the_legacy_dialect_stays_one_word() -> None:
    labels = ",".join(f"label_{i}" for i in range(2000))
    line = f"PROC_BLOCK<u32[1], utf8[1]> label hotg-ai/rune#proc_blocks/label --labels={labels}"
    text = format_legacy(SourceFile("Runefile", f"{line}  # all\nOUT serial # here\n"))
    assert text.splitlines()[-2:] == [f"    --labels={labels}  # all", "OUT serial  # here"]
