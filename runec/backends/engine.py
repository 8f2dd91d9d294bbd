"""What a firmware needs to know of an engine: that which executes the code of a rune."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from runec.backends.source_group import SourceGroup


def _unbounded(_code: bytes) -> None:
    return None


def _nothing(_code_bytes: int, _functions: int) -> int:
    return 0


class Engine(msgspec.Struct, frozen=True):
    """One engine. Sizes are bytes; those of flash are Cortex-M code.

    `folder` below `lib/` has its own sources and the header of the same name. `component` is the
    third-party source that it is compiled from. `host_stack_bytes` of C stack are kept free for
    host functions, below what the rune may use. `flash_least` and `flash_most` bound the engine's
    code. `stack_bytes` are what a module takes of the C stack at most, host functions included,
    and no module gets less than `stack_least`; None: the board's whole stack is reserved.
    `heap_bytes` is its own memory for a module of so many bytes and functions, of which
    `code_heap_bytes` is what the code causes. `compile` makes C of a module and the bytes of its
    linear memory, for an engine that runs no other; `code_flags` are what that C is compiled with.
    """

    name: str
    folder: str
    component: str | None
    host_stack_bytes: int
    flash_least: int
    flash_most: int
    source_groups: Callable[[], tuple[SourceGroup, ...]]
    stack_bytes: Callable[[bytes], int | None] = _unbounded
    stack_least: int | None = None
    heap_bytes: Callable[[int, int], int] = _nothing
    code_heap_bytes: Callable[[int, int], int] = _nothing
    code_flags: tuple[str, ...] = ()
    compile: Callable[[bytes, int], str] | None = None
