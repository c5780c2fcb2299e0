"""Arrows point one way: rules, scripts, the package; the plugin knows nothing of tomography."""

import ast
import re
from pathlib import Path

import pytest
import yaml

SOURCES = Path(__file__).parents[1]
PACKAGE = SOURCES / "src" / "tomobatch"
PLUGINS = SOURCES / "plugins"
PLUGIN = PLUGINS / "snakemake-executor-plugin-aws-batch-array" / "src"
EMULATOR = PLUGINS / "aws-batch-emulator" / "src"

# Parts of the package from the inside out; each may import itself and those before it.
NUMERICS = ("normalise", "stripes", "calibrate", "reconstruct", "phantom")
RIM = ("scan", "stores", "report", "cli", "aws")


def imported(folder: Path) -> set[tuple[Path, str]]:
    """Find what the modules of a folder import, by absolute name."""
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {(path, alias.name) for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: relative import"
                found.add((path, str(node.module)))
    return found


def offenders(folder: Path, *forbidden: str) -> list[str]:
    return sorted(
        f"{path.relative_to(SOURCES)} imports {module}"
        for path, module in imported(folder)
        if any(module == name or module.startswith(f"{name}.") for name in forbidden)
    )


def test_the_search_for_imports_finds_some():
    assert offenders(PACKAGE, "numpy")


@pytest.mark.parametrize("part", NUMERICS)
def test_numerics_know_neither_snakemake_nor_aws_nor_files_of_runs(part):
    rim = [f"tomobatch.{name}" for name in RIM]
    assert offenders(PACKAGE / part, "snakemake", "boto3", "botocore", "obstore", *rim) == []


def test_the_package_makes_no_aws_clients_of_its_own():
    assert offenders(PACKAGE, "boto3") == []


def test_nothing_in_the_package_imports_scripts():
    assert offenders(PACKAGE, "scripts") == []


def test_the_plugin_and_the_emulator_know_nothing_of_tomography():
    assert offenders(PLUGIN, "tomobatch", "scripts", "aws_batch_emulator") == []
    plugin = "snakemake_executor_plugin_aws_batch_array"
    assert offenders(EMULATOR, "tomobatch", "scripts", "snakemake", plugin) == []


def test_only_one_module_of_the_plugin_makes_clients():
    plugin = PLUGIN / "snakemake_executor_plugin_aws_batch_array"
    users = {line.split(" ")[0].rsplit("/", 1)[1] for line in offenders(plugin, "boto3")}
    # The worker only loads boto3 ahead of time, for the storage plugin of the jobs it runs.
    assert users == {"aws.py", "snakemake_call.py"}


def test_every_rule_has_the_script_of_its_name_or_shares_one():
    rules = "\n".join(path.read_text() for path in (SOURCES / "rules").glob("*.smk"))
    named = set(re.findall(r'"\.\./scripts/(\w+)\.py"', rules))
    assert named == {path.stem for path in (SOURCES / "scripts").glob("*.py")}


def test_conda_environments_hold_the_pinned_versions():
    pins = {}
    for line in (SOURCES / "requirements" / "run.txt").read_text().splitlines():
        match = re.match(r"([\w.-]+)(?:\[.*\])?==([^ ;]+)(.*)", line)
        if match and "python_full_version >=" not in match[3]:
            pins[match[1]] = match[2]
    for path in (SOURCES / "envs").glob("*.yaml"):
        dependencies = yaml.safe_load(path.read_text())["dependencies"]
        versions = dict(one.split(" =") for one in dependencies if " =" in one)
        del versions["python"]
        assert versions
        assert {name: pins[name] for name in versions} == versions
