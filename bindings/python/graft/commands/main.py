"""From the command line to a command, and from its end to an exit code."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from .. import __version__, kernel_name
from ..errors import GraftError, Status
from . import completion, embed, evaluate, inspect, predict, report, train
from .output import Output

#: In the order in which the help lists them.
COMMANDS = (train, evaluate, predict, embed, report, inspect, completion)
DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
DESCRIPTION = """Trains small adapters on a transformer, and runs them, on the CPU.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""


class CommandParser(argparse.ArgumentParser):
    """Takes files and options in any order: by itself argparse, before Python 3.12.7, knows no FILE
    that may be left out behind an option."""

    _is_mixing = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        # What mixes them calls this itself.
        if self._is_mixing:
            return super().parse_known_args(args, namespace)
        self._is_mixing = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._is_mixing = False


def make_parser() -> argparse.ArgumentParser:
    """All commands with their arguments."""
    parser = argparse.ArgumentParser(
        prog="graft", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"graft {__version__} ({kernel_name()})")
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=CommandParser
    )
    for module in COMMANDS:
        name = module.__name__.rpartition(".")[2]
        # The first line of a module says what the command does.
        text = (module.__doc__ or "").strip()
        command = commands.add_parser(
            name,
            help=text[0].lower() + text.partition(".\n")[0][1:],
            description=text,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        module.add_arguments(command)
        command.add_argument("--json", action="store_true", help="print one JSON object on standard output")
        command.set_defaults(run=module.run, command=name)
        # The help lists all of the options, which are too many for a line above an error.
        files = [
            f"[{own.metavar}]" if own.nargs == "?" else str(own.metavar or f"{{{','.join(own.choices or ())}}}")
            for own in command._actions
            if not own.option_strings
        ]
        command.usage = " ".join([f"graft {name} [OPTION ...]", *files])
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; its exit code."""
    parser = make_parser()
    given = parser.parse_args(arguments)
    output = Output(given.json)
    warnings.showwarning = lambda message, *_: print(f"graft: warning: {message}", file=sys.stderr)
    try:
        given.run(given, output, parser) if given.command == "completion" else given.run(given, output)
        output.close()
        return DONE
    except BrokenPipeError:
        # Whoever read has read enough. Python would write what is left at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (GraftError, OSError) as error:
        output.fail(_status(error), _message(error))
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def _message(error: GraftError | OSError) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    return str(error)


def _status(error: Exception) -> str:
    status = error.status if isinstance(error, GraftError) else Status.IO
    return status.name if isinstance(status, Status) else str(status)
