"""Count the single changes of the templates that their tests notice.

``python benchmarks/template_mutants.py --output benchmarks/results/template-mutants.md``

Each mutant changes one scalar of one template, drops one property, or drops one item of a list: an
effect turned round, a number doubled, an action or a name that is another one. The tests of the
templates are run against it: the snapshots, and for the first of them all others as well, to see
how many reasons are held besides the text. What is not noticed is listed, to be judged by hand: it
may be without effect.
"""

import argparse
import contextlib
import io
import os
import random
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

# What the tests import is imported once, before the processes fork that run them.
from tests.infrastructure import resolved, templates  # noqa: E402

import aws_batch_emulator.client  # noqa: E402, F401
import snakemake_executor_plugin_aws_batch_array  # noqa: E402, F401

FOLDER = templates.FOLDER
TESTS = REPOSITORY / "tests" / "infrastructure"
REASONS = [str(TESTS / f"test_{name}.py") for name in ("policies", "templates")]
OTHERS = {
    "Allow": "Deny",
    "Deny": "Allow",
    "ENABLED": "DISABLED",
    "s3:GetObject": "s3:GetObjectVersion",
    "s3:PutObject": "s3:PutObjectAcl",
    "batch:SubmitJob": "batch:*",
}


@dataclass(frozen=True)
class Mutant:
    """One change: of which template, in which place, and the whole text that results."""

    template: str
    place: str
    change: str
    text: str


Row = tuple[Mutant, bool, bool | None]
"""A mutant, whether the snapshots notice it, and whether the other tests do, if they were tried."""


def mutants_of(name: str, rng: random.Random) -> Iterator[Mutant]:
    """Walk every mutant of a template, once each."""
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    root = yaml.compose(text)
    for key, section in root.value:
        if key.value in ("Parameters", "Conditions", "Resources", "Outputs"):
            yield from _walk(name, text, section, key.value, rng)


def _walk(
    name: str, text: str, node: yaml.Node, place: str, rng: random.Random
) -> Iterator[Mutant]:
    if place.endswith(("/Description", "/ConstraintDescription")):
        return
    if isinstance(node, yaml.ScalarNode):
        other = _other(node, rng)
        changed = _replaced(text, node.start_mark.index, node.end_mark.index, other)
        yield Mutant(name, place, f"{node.value[:60]!r} -> {other[:60]!r}", changed)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _walk(name, text, item, f"{place}/{number}", rng)
        if len(node.value) > 1:
            gone = rng.randrange(len(node.value))
            changed = _without_item(text, node, gone)
            yield Mutant(name, f"{place}/{gone}", "dropped", changed)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _walk(name, text, value, f"{place}/{key.value}", rng)
        depth = place.count("/")
        if len(node.value) > 1 and depth > 1 and not node.flow_style:
            key, value = rng.choice(node.value)
            start = text.rindex("\n", 0, key.start_mark.index) + 1
            if text[start : key.start_mark.index].strip() == "":
                end = value.end_mark.index
                changed = text[:start] + text[_line_end(text, end) :]
                yield Mutant(name, f"{place}/{key.value}", "dropped", changed)


def _line_end(text: str, index: int) -> int:
    """Return where the line after an index begins; block nodes end at the start of one."""
    if index and text[index - 1] == "\n":
        return index
    if not text[text.rindex("\n", 0, index) + 1 : index].strip():
        return text.rindex("\n", 0, index) + 1
    return text.index("\n", index) + 1


def _replaced(text: str, start: int, end: int, value: str) -> str:
    return text[:start] + value + text[end:]


def _without_item(text: str, node: yaml.SequenceNode, number: int) -> str:
    item = node.value[number]
    if node.flow_style:
        after = text[item.end_mark.index :]
        cut = re.match(r"\s*,\s*", after)
        if cut:
            return text[: item.start_mark.index] + after[cut.end() :]
        return text[: node.value[number - 1].end_mark.index] + after
    start = text.rindex("\n", 0, item.start_mark.index) + 1
    return text[:start] + text[_line_end(text, item.end_mark.index) :]


def _other(node: yaml.ScalarNode, rng: random.Random) -> str:
    """Return another value for a scalar, of the same kind where it has one."""
    value, tag = node.value, node.tag if node.tag.startswith("!") else ""
    mark = f"{tag} " if tag else ""
    if value in OTHERS:
        return mark + OTHERS[value]
    if value.lower() in ("true", "false"):
        return "false" if value.lower() == "true" else "true"
    if re.fullmatch(r"\d+", value):
        return f'"{int(value) * 2 + 1}"' if node.style else str(int(value) * 2 + 1)
    if node.style in ("|", ">"):
        lines = [line for line in value.splitlines() if len(line.strip()) > 12]
        gone = rng.choice(lines)
        kept = value.replace(gone + "\n", "", 1)
        indent = " " * 12
        return f"{mark}|\n" + "".join(f"{indent}{line}\n" for line in kept.splitlines())
    changed = value[:-1] + ("*" if not value.endswith("*") else "x") if value else "x"
    return f'{mark}"{changed}"' if not tag or tag == "!Sub" else f"{mark}{value}2"


def differs(folder: Path) -> bool:
    """Tell what tests/infrastructure/test_snapshots.py would find; a broken template differs."""
    templates.FOLDER = folder
    try:
        made = resolved.snapshots()
    except Exception:
        return True  # as the test would end with it
    finally:
        templates.FOLDER = FOLDER
    return any(file.read_text(encoding="utf-8") != text for file, text in made.items())


def is_noticed(folder: Path, files: list[str]) -> bool:
    """Run tests against a folder of templates in a process of their own."""
    child = os.fork()
    if child == 0:
        templates.FOLDER = folder
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        options = ["-q", "-x", "-p", "no:cacheprovider", "--rootdir", str(REPOSITORY)]
        os._exit(int(pytest.main([*options, *files])))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0


def parses(text: str) -> bool:
    """Tell whether a mutant is YAML at all: what is not, no one can deploy."""
    with contextlib.redirect_stderr(io.StringIO()):
        try:
            return yaml.compose(text) is not None
        except yaml.YAMLError:
            return False


def main() -> None:
    """Try the mutants and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--number", type=int, default=120)
    parser.add_argument("--reasons", type=int, default=40, help="tried without snapshots too")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    rng = random.Random(options.seed)  # noqa: S311 - which mutants, nothing secret
    every = [mutant for name in templates.NAMES for mutant in mutants_of(name, rng)]
    rng.shuffle(every)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "cloudformation"
        for mutant in every:
            if len(rows) == options.number:
                break
            if not parses(mutant.text):
                continue
            shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
            (folder / f"{mutant.template}.yaml").write_text(mutant.text, encoding="utf-8")
            by_reason = is_noticed(folder, REASONS) if len(rows) < options.reasons else None
            rows.append((mutant, differs(folder), by_reason))
            print(
                len(rows), mutant.template, mutant.place, mutant.change, *rows[-1][1:], flush=True
            )
    text = report(options, len(every), rows)
    print(text)
    if options.output is not None:
        options.output.write_text(text, encoding="utf-8")


def report(options: argparse.Namespace, n_every: int, rows: list[Row]) -> str:
    """Return the figures, and the mutants that something did not notice."""
    n_text = sum(by_text for _, by_text, _ in rows)
    reasons = [by_reason for *_, by_reason in rows if by_reason is not None]
    lines = [
        "# Mutants of the templates",
        "",
        f"`python benchmarks/template_mutants.py --number {options.number} --reasons "
        f"{options.reasons} --seed {options.seed}`: {len(rows)} of {n_every} changes of a single "
        "property.",
        "",
        "| tests | mutants | noticed |",
        "|---|---|---|",
        f"| snapshots | {len(rows)} | {n_text} |",
        f"| reasons alone, without the snapshots | {len(reasons)} | {sum(reasons)} |",
    ]
    for title, missed in (
        ("Not noticed by the snapshots", [m for m, by_text, _ in rows if not by_text]),
        ("Noticed by the snapshots alone", [m for m, _, reason in rows if reason is False]),
    ):
        lines += ["", f"## {title}", "", "| template | place | change |", "|---|---|---|"]
        lines += [f"| {m.template} | {m.place} | {m.change.replace('|', ' ')} |" for m in missed]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
