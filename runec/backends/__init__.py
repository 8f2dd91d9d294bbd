"""Engines that execute a rune on a device: one small package each.

Each says which C sources it needs, how they are compiled and how much memory they take.
"""

from runec.backends.source_group import SourceGroup

__all__ = ["SourceGroup"]
