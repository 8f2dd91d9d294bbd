"""Speed, counted in instructions of an emulated board, beside the same pipeline without a sandbox."""
