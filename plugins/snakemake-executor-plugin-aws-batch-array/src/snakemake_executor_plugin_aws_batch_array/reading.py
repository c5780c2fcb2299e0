"""Reads a run from S3 again and again: its lists, attempts and outcomes, and what is closed."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from snakemake_executor_plugin_aws_batch_array.command_list import (
    Attempt,
    ChildOutcomes,
    CommandList,
    UnreadableListError,
)
from snakemake_executor_plugin_aws_batch_array.store import RunStore

_AT_ONCE = 16


class RunReader:
    """One run, looked at from outside, without a word to its controller.

    Parameters
    ----------
    store
        The run.

    Attributes
    ----------
    unreadable
        Name to reason of the lists that another version of this plugin wrote, as of the last look.
    """

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._lists: dict[str, CommandList] = {}
        self.unreadable: dict[str, str] = {}

    def lists(self) -> Mapping[str, CommandList]:
        """Return the lists by name; those that were read before are not read again."""
        new = [
            name
            for name in self._store.list_names()
            if name not in self._lists and name not in self.unreadable
        ]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for name, found in zip(new, pool.map(self._read_list, new), strict=True):
                if isinstance(found, CommandList):
                    self._lists[name] = found
                else:
                    self.unreadable[name] = str(found)
        return self._lists

    def closed(self) -> set[str]:
        """Return the names of the lists of which a controller has heard every outcome."""
        return self._store.closed_names()

    def attempts(self) -> dict[str, dict[int, list[Attempt]]]:
        """Return the attempts that each list's children started, in order."""
        return self._store.attempts()

    def outcomes(self, name: str, children: Iterable[int]) -> dict[int, ChildOutcomes]:
        """Return the outcomes of some children of a list."""
        children = list(children)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = pool.map(partial(self._store.get_outcomes, name), children)
            return dict(zip(children, found, strict=True))

    def _read_list(self, name: str) -> CommandList | UnreadableListError:
        try:
            return self._store.look_at_list(name)
        except UnreadableListError as error:
            return error
