"""Instruction counts, compared with the same pipeline without a sandbox."""
