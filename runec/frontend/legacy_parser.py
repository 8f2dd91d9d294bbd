"""The parser of one legacy statement, from a table that was made when the grammar last changed.

lark needs 40 ms to make its tables from `legacy.lark`, 3 ms to load them from `legacy.table.json`.
A table belongs to one version of lark; another one makes its own. After a change of the grammar:

    python -m runec.frontend.legacy_parser
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runec.files import write_file

if TYPE_CHECKING:
    from lark import Lark

_GRAMMAR = Path(__file__).with_name("legacy.lark")
TABLE = Path(__file__).with_name("legacy.table.json")


@functools.cache
def legacy_parser() -> Lark:
    """Return the parser, made once in a process."""
    import lark  # noqa: PLC0415 - a YAML Runefile does not need it

    table = read_table()
    if table["lark"] != lark.__version__:
        return fresh_parser()
    empty: Lark = lark.Lark.__new__(lark.Lark)
    # What lark.Lark.load() does with a pickle; ours is JSON, which cannot run code.
    return empty._load({"data": table["data"], "memo": table["memo"]})


def read_table() -> dict[str, Any]:
    """Return what `legacy.table.json` holds."""
    return dict(_numbered(json.loads(TABLE.read_text(encoding="utf-8"))))


def fresh_parser() -> Lark:
    """Return the parser made from the grammar, without the table."""
    from lark import Lark  # noqa: PLC0415 - see above

    grammar = _GRAMMAR.read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual", maybe_placeholders=True)


def fresh_table() -> dict[str, Any]:
    """Return what `legacy.table.json` should hold for the lark that is installed."""
    import lark  # noqa: PLC0415 - see above
    from lark.grammar import Rule  # noqa: PLC0415
    from lark.lexer import TerminalDef  # noqa: PLC0415

    data, memo = fresh_parser().memo_serialize([TerminalDef, Rule])
    table = {"lark": lark.__version__, "data": data, "memo": memo}
    return dict(_numbered(json.loads(json.dumps(table))))


def _numbered(value: Any) -> Any:
    """Undo JSON's change of numbers into texts where they are keys."""
    if isinstance(value, dict):
        return {
            int(key) if key.isdecimal() else key: _numbered(item) for key, item in value.items()
        }
    if isinstance(value, list):
        return [_numbered(item) for item in value]
    return value


def main() -> None:
    """Write the table again."""
    write_file(TABLE, json.dumps(fresh_table(), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
