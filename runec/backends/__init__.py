"""What executes a rune on a device: one small package for each engine.

Each says which C sources it needs, how they are compiled and how much memory they take.
"""

from runec.backends.source_group import SourceGroup

__all__ = ["SourceGroup"]
