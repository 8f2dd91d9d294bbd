"""Speed, counted in instructions, beside that of the same pipeline without a sandbox."""
