"""Where a run's results lie, and which chunks have them."""

from snakemake_executor_plugin_aws_batch_array.command_list import CommandList
from snakemake_executor_plugin_aws_batch_array.store import S3Path
from tomobatch.aws.runs.place import Place
from tomobatch.results import RECORDS

_DEFAULT_RESULTS = "results"


def results_of(commands: CommandList) -> str:
    """Return the s3:// address of the results that a list's commands write.

    For a run that plain Snakemake started: from the arguments its jobs were given.
    """
    arguments = commands.arguments
    prefix = _values(arguments, "--default-storage-prefix")[0].strip("'\"")
    results = _DEFAULT_RESULTS
    for setting in _values(arguments, "--config"):
        name, _, value = setting.partition("=")
        if name == "results":
            results = value.strip("'\"")
    return f"{prefix.rstrip('/')}/{results}"


def recorded_chunks(place: Place, results: str, scan: str, commands: CommandList) -> set[int]:
    """Return the chunks of one rule whose record is newer than the list that asks for them."""
    folder = S3Path.parse(f"{results}/{scan}/{RECORDS}/{commands.rule}")
    return {
        int(file.name.removesuffix(".json"))
        for file in place.files(folder)
        # S3 tells whole seconds.
        if (file.modified_s + 1) * 1000 > commands.submitted_ms
    }


def _values(arguments: tuple[str, ...], option: str) -> list[str]:
    """Return what follows an option, up to the next one."""
    found = []
    taking = False
    for argument in arguments:
        if argument.startswith("--"):
            taking = argument == option
        elif taking:
            found.append(argument)
    return found
