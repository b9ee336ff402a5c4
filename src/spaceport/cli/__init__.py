"""The command line: the same names as the Python calls, nothing heavy imported until it runs."""

from spaceport.cli.main import main

__all__ = ["main"]
