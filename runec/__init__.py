"""runec: a cross-compilation toolchain for TinyML on microcontrollers."""

__version__ = "0.1.0"
