"""The scans of a run: by path or by their name in config.yaml, on their way to S3 and the sheet."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tomobatch.cli.shared.naming import name_scans, without_repeats
from tomobatch.config.file import read_config_file
from tomobatch.errors import UserError
from tomobatch.s3.address import is_remote

if TYPE_CHECKING:
    from tomobatch.plan import ScanPlan
    from tomobatch.plan_scan import Plans

Entry = Mapping[str, Any]
CONFIG = Path("config.yaml")


def read_config() -> dict[str, Any]:
    """Read config.yaml as plain values; empty if there is none."""
    if not CONFIG.is_file():
        return {}
    return read_config_file(CONFIG)


def find_scans(asked: Iterable[str], config: Mapping[str, Any]) -> dict[str, Entry]:
    """Return the entry of each scan, named as in config.yaml, or by path or s3:// address.

    Without any, those of config.yaml. One of them is meant by its path as well, however that is
    spelt. A scan that is given twice is one; scans of one file are scans of their own, named
    NAME_ENTRY, which may be asked for as well.

    Raises
    ------
    UserError
        If there is no such scan: all that are missing are named.
    """
    # Looking into files takes libraries that take seconds to import.
    from tomobatch.scan.several import each_scan

    configured, shared = _configured(config), config.get("datasets") or {}
    names = {_place(str(entry["path"])): name for name, entry in configured.items()}
    known = (one if one in configured else names.get(_place(one), one) for one in asked)
    asked = list(known) or list(configured)
    if any(scan not in configured and not _is_there(scan) for scan in asked):
        configured = {**each_scan(configured, shared), **configured}
    unnamed = (scan for scan in asked if scan not in configured)
    named = name_scans(without_repeats(unnamed), taken=configured)
    scans = {scan: configured[scan] for scan in asked if scan in configured}
    scans |= {name: {"path": path} for name, path in named.items()}
    missing = [path for path in named.values() if not _is_there(path)]
    if missing:
        others = f", nor a scan of {CONFIG} ({', '.join(configured)})" if configured else ""
        raise UserError(f"{', '.join(missing)}: no such file or folder{others}")
    return each_scan(scans, shared)


def plan_scans(scans: Mapping[str, Entry], config: Mapping[str, Any]) -> "Plans":
    """Read the headers of scans and plan their jobs, as the workflow will.

    Raises
    ------
    UserError
        If the configuration is not right, or no scan can be reconstructed: all are named.
    """
    # Libraries that take seconds to import are left to the commands that need them.
    from tomobatch.config.schema import load_config
    from tomobatch.plan_scan import read_plans

    checked = load_config({**config, "scans": scans})
    plans = read_plans(checked, lambda name: checked.scans[name].path)
    if not plans.good:
        alone = len(plans.refused) == 1
        raise UserError("\n".join(plans.refused.values() if alone else plans.refusals))
    return plans


def count_jobs(plans: "Iterable[ScanPlan]") -> dict[str, int]:
    """Return the number of jobs of each rule, in the order of the workflow."""
    jobs: Counter[str] = Counter()
    for plan in plans:
        jobs.update(plan.n_jobs)
    return dict(jobs)


def write_sheet(sheet: Path, scans: Mapping[str, Entry]) -> None:
    """Write a sheet of scans; a configuration that names it leaves all other scans alone.

    Raises
    ------
    UserError
        If a scan has a setting that no cell can hold.
    """
    rows = {name: _flatten(entry) for name, entry in scans.items()}
    keys = sorted({key for row in rows.values() for key in row} - {"path"})
    lines = ["\t".join(["scan", "path", *keys])]
    for name, row in rows.items():
        for key, value in row.items():
            if isinstance(value, list | bool) or value is None or "\t" in str(value):
                raise UserError(
                    f"{CONFIG}: scans.{name}.{key} is {value!r}, which only a section that all "
                    "scans share can hold: move it there"
                )
        lines.append("\t".join([name, *(str(row.get(key, "")) for key in ["path", *keys])]))
    content = "\n".join(lines) + "\n"
    if not sheet.is_file() or sheet.read_text(encoding="utf-8") != content:
        sheet.parent.mkdir(parents=True, exist_ok=True)
        sheet.write_text(content, encoding="utf-8")


def moved(scans: Mapping[str, Entry], move: Callable[[str], str]) -> dict[str, Entry]:
    """Return the scans with another path each."""
    return {name: {**entry, "path": move(str(entry["path"]))} for name, entry in scans.items()}


def _is_there(path: str) -> bool:
    return is_remote(path) or Path(path).exists()


def _configured(config: Mapping[str, Any]) -> dict[str, Entry]:
    from tomobatch.config.sheet import read_sheet

    scans = config.get("scans", {})
    if isinstance(scans, str):
        return dict(read_sheet(Path(scans)))
    return {
        str(name): {"path": entry} if isinstance(entry, str) else entry
        for name, entry in scans.items()
    }


def _flatten(entry: Entry, prefix: str = "") -> dict[str, Any]:
    """Turn ``{"a": {"b": 12}}`` into ``{"a.b": 12}``."""
    flat: dict[str, Any] = {}
    for key, value in entry.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _place(path: str) -> str:
    """Return one spelling of where a scan is."""
    return path.rstrip("/") if is_remote(path) else str(Path(path).resolve())
