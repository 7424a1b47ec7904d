"""``python -m tensorlite`` is the command line."""

from .cli import main

main()
