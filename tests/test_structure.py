"""Short files, short functions; rules, scripts and environments that fit each other."""

import ast
import re
from pathlib import Path

import yaml

SOURCES = Path(__file__).parents[1]

CODE = sorted(
    path
    for folder in ("src", "scripts", "rules", "plugins", "tests", "benchmarks")
    for pattern in ("*.py", "*.smk", "*.cl")
    for path in (SOURCES / folder).rglob(pattern)
    if "_workflow" not in path.parts
)
MOST_LINES_A_FILE, MOST_LINES_A_FUNCTION = 300, 40


def test_no_file_is_long():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in CODE}
    assert lengths
    long = {
        str(path.relative_to(SOURCES)): n for path, n in lengths.items() if n > MOST_LINES_A_FILE
    }
    assert long == {}


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of what a function does, below its signature and docstring."""
    first = function.body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    rest = function.body[1:] if is_text else function.body
    return function.end_lineno - rest[0].lineno + 1 if rest else 0


def test_no_function_is_long():
    found = []
    for path in (each for each in CODE if each.suffix == ".py" and "tests" not in each.parts):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                n_lines = body_lines(node)
                if n_lines > MOST_LINES_A_FUNCTION:
                    found.append(f"{path.relative_to(SOURCES)}: {node.name}: {n_lines}")
    assert found == []


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
