"""Modules for the engines' tests, as WebAssembly text."""

from __future__ import annotations


def module(call: str, *, head: str = "", pages: int = 1) -> str:
    return f"""(module {head}
        (memory (export "memory") {pages} {pages})
        (func (export "_manifest") (result i32) i32.const 1)
        (func $call (export "_call") (param i32 i32 i32) (result i32) {call}))"""
