"""Versions of the software on both sides: the controller's and the image's."""

from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version

PLUGIN = "snakemake-executor-plugin-aws-batch-array"


def installed_versions(distributions: Iterable[str]) -> dict[str, str]:
    """Return the version of each distribution that is installed here."""
    versions = {}
    for name in distributions:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def mismatches(controller: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """Return one phrase for each distribution whose major or minor version differs here."""
    return [
        f"{name} is {here.get(name, 'missing')} in the image and {wanted} at the controller"
        for name, wanted in controller.items()
        if name not in here or here[name].split(".")[:2] != wanted.split(".")[:2]
    ]
