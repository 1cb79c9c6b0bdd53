"""Numbers that say how good answers are: one idea a file, every number with its interval."""
