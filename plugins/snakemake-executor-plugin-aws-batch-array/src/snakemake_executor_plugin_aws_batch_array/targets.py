"""What a job is told to make, in words that any wildcard survives.

Snakemake tells its jobs ``rule:name=value,name=value`` and reads it by its signs: a comma in a
value ends it, quotes at its ends are taken off. And it quotes arguments as Python does, not as a
shell: a backslash comes out doubled. So values are percent-encoded here, the job's own Snakemake
decodes them, and arguments are quoted as a shell unquotes them. Decision 66.
"""

import functools
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from snakemake_interface_executor_plugins import utils
from snakemake_interface_executor_plugins.utils import TargetSpec


def encode_targets(specs: Iterable[TargetSpec]) -> list[str]:
    """Return targets as ``rule:name=value,name=value``, in any of whose values any sign may be."""
    return [
        f"{rule}:{','.join(f'{name}={quote(str(value))}' for name, value in wildcards.items())}"
        for rule, wildcards in specs
    ]


def decode_target(target: str) -> tuple[str, Mapping[str, str]]:
    """Return rule and wildcards of a target."""
    rule, _, rest = target.partition(":")
    pairs = (part.partition("=") for part in rest.split(",") if part)
    return rule, {name: unquote(value) for name, _, value in pairs}


def read_encoded_targets() -> None:
    """Let the Snakemake of this process read what `encode_targets` writes."""
    from snakemake import cli

    def parse(targets: Sequence[str] | None) -> list[TargetSpec] | None:
        if targets is None:
            return None
        return [TargetSpec(*decode_target(target)) for target in targets]

    cli.parse_target_jobs_cli_args = parse


def split_exactly(arguments: Callable[[], str]) -> tuple[str, ...]:
    """Return the arguments that Snakemake writes into one line, each as it was before that.

    Parameters
    ----------
    arguments
        Has Snakemake write the line.
    """
    with _shell_quotes():
        return tuple(shlex.split(arguments()))


@contextmanager
def _shell_quotes() -> Iterator[None]:
    """Have Snakemake quote arguments in such a way that a shell, or `shlex`, reads the same."""
    original = utils.format_cli_value

    @functools.wraps(original)
    def format_cli_value(value: Any, quote: bool = False, base64_encode: bool = False) -> str:  # noqa: ANN401 - Snakemake's
        if not quote or base64_encode or not isinstance(value, str) or isinstance(value, Path):
            return str(original(value, quote=quote, base64_encode=base64_encode))
        return shlex.quote(value)

    utils.format_cli_value = format_cli_value
    try:
        yield
    finally:
        utils.format_cli_value = original
