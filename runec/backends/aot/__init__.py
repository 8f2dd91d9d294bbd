"""Runes compiled to C."""
