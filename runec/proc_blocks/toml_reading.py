"""Reading the TOML files of a block: every mistake in them gets its line and column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn, TypeVar

import msgspec

from runec.diagnostics import SourceFile, Span, UserFileError
from runec.proc_blocks.toml_places import Place, find_place

_AT_LINE = re.compile(r" \(at line (\d+), column (\d+)\)\Z")
_AT_PLACE = re.compile(r" - at `\$(.*)`\Z")
_STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`\Z", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`\Z")

# The struct at each way of keys from the root, the numbers in arrays left out.
Structs = Mapping[tuple[str, ...], type[msgspec.Struct]]
_Struct = TypeVar("_Struct", bound=msgspec.Struct)


class TomlFile(msgspec.Struct, frozen=True):
    """The text of a file, with what is said when it is wrong: a code and what it describes."""

    path: Path
    data: bytes
    code: str
    what: str

    @property
    def _text(self) -> str:
        return self.data.decode(errors="replace")

    def decode(self, kind: type[_Struct], structs: Structs) -> _Struct:
        """Return the file as a struct; `structs` serve to guess at a misspelt key.

        Raises:
            UserFileError: it is not TOML, or has an unknown key, lacks one, or a wrong value.
        """
        try:
            return msgspec.toml.decode(self.data.decode(), type=kind)
        except UnicodeDecodeError:
            self._refuse("it is not UTF-8 text", None, "save it as UTF-8")
        except msgspec.ValidationError as error:
            self._refuse_value(str(error), {(): kind, **structs})
        # ValueError: a number of thousands of digits; RecursionError: as many brackets.
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            self._refuse_syntax(str(error))

    def refuse(self, problem: str, place: Place, hint: str | None = None) -> NoReturn:
        """Say what is wrong with the value at a place.

        Raises:
            UserFileError: always.
        """
        start, end = find_place(self._text, place) or (0, 0)
        self._refuse(problem, Span(SourceFile(str(self.path), self._text), start, end), hint)

    def _refuse(self, problem: str, span: Span | None, hint: str | None = None) -> NoReturn:
        raise UserFileError(
            self.code,
            f"{self.what} wrong: {problem}",
            hint=hint or f"correct {self.path.name}; docs/guides/blocks.md lists its keys",
            span=span,
        )

    def _refuse_syntax(self, message: str) -> NoReturn:
        text = self._text
        source = SourceFile(str(self.path), text)
        at = _AT_LINE.search(message)
        offset = source.offset(int(at[1]), int(at[2])) if at is not None else len(text.rstrip())
        said = message.removesuffix(at[0]) if at is not None else message
        said = said.removesuffix(" (at end of document)")
        self._refuse(f"it is not TOML: {said}", Span(source, offset, offset + 1))

    def _refuse_value(self, message: str, structs: Structs) -> NoReturn:
        at = _AT_PLACE.search(message)
        problem = message.removesuffix(at[0]) if at is not None else message
        place: Place = tuple(
            key or int(number)
            for key, number in _STEP.findall(at[1] if at else "")
            if number != "..."
        )
        hint = None
        if unknown := _UNKNOWN.match(problem):
            place = (*place, unknown[1])
            problem, hint = f"there is no key {unknown[1]!r}", _did_you_mean(place, structs)
        elif missing := _MISSING.match(problem):
            problem, hint = f"the key {missing[1]!r} is missing", f"add {missing[1]}"
        else:
            problem = problem[:1].lower() + problem[1:]
        self.refuse(problem, place, hint)


def _did_you_mean(place: Place, structs: Structs) -> str:
    import difflib  # noqa: PLC0415 - only a wrong file needs it

    way = tuple(step for step in place[:-1] if isinstance(step, str))
    known = structs.get(way, structs[()]).__struct_fields__
    close = difflib.get_close_matches(str(place[-1]), known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"the keys are {', '.join(known)}"
