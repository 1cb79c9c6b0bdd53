"""Builds the page that teaches: ``python -m opsin.lessons docs/lessons``."""

from __future__ import annotations

import sys

from opsin.errors import InputError
from opsin.lessons.page import write


def main(words: list[str]) -> int:
    """Write the page into the folder that is named; return the exit code."""
    if len(words) != 1 or words[0].startswith("-"):
        print("usage: python -m opsin.lessons FOLDER", file=sys.stderr)  # noqa: T201
        return 2
    try:
        print(write(words[0]))  # noqa: T201
    except InputError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
