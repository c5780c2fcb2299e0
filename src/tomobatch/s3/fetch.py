"""Whole objects from S3 into a folder: several at once, and on from the bytes that are there."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import obstore
from obstore.exceptions import BaseError, PreconditionError
from obstore.store import S3Store

from tomobatch.errors import UserError
from tomobatch.s3.listing import RemoteFile
from tomobatch.s3.read import open_store
from tomobatch.s3.transfer import Progress, ignore

_AT_ONCE = 8

_TRIES = 6
"""In a row that bring nothing: then the network is down. A try that brings a byte counts afresh."""

_RETRIES = 2
"""Of obstore within one try."""

_PIECE_BYTES = 2**16
"""Bytes count as here in such pieces; by default they would be held back until there are 10 MB."""

_PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0)


def fetch_files(
    url: str, folder: Path, names: Iterable[str | RemoteFile], *, progress: Progress = ignore
) -> int:
    """Bring objects below an s3:// address into a folder; each appears once it is complete.

    What broke off is kept beside its target, and goes on from there, in this call and in a later
    one, as long as the object is the same.

    Parameters
    ----------
    names
        What to fetch; one whose size is given is left out if a file of that size and not older is
        there already.

    Returns
    -------
    int
        How many files came.

    Raises
    ------
    UserError
        If the network fails, or an object changes meanwhile.
    """
    errand = _Errand(open_store(url, max_retries=_RETRIES), folder, progress)
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        return sum(pool.map(errand.fetch, names))
    except PreconditionError as error:
        raise UserError(
            f"an object of {url} changed while it was fetched: run the same command again when "
            "nothing is written there any more"
        ) from error
    except BaseError as error:
        reason = str(error).partition("\n")[0]
        raise UserError(
            f"fetching {url} broke off ({reason}): check the network and run the same command "
            "again, it goes on from there"
        ) from error
    finally:
        # After a failure or Ctrl-C, what is under way would go on for hours.
        errand.is_over.set()
        pool.shutdown(cancel_futures=True)


class _Errand:
    """Fetches one object after the other, from several threads."""

    def __init__(
        self,
        store: S3Store,
        folder: Path,
        progress: Progress,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._store = store
        self._folder = folder
        self._progress = progress
        self._sleep = sleep
        self.is_over = threading.Event()

    def fetch(self, wanted: str | RemoteFile) -> bool:
        """Fetch one object; return False if it is there."""
        if isinstance(wanted, str):
            wanted = RemoteFile.of(obstore.head(self._store, wanted))
        elif _is_here(wanted, self._folder / wanted.name):
            self._progress(wanted.size)
            return False
        target = self._folder / wanted.name
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = _partial(target, wanted)
        with partial.open("ab") as file:
            done = min(file.tell(), wanted.size)
            file.truncate(done)
            if done:
                self._progress(done)
            tries = 0
            while done < wanted.size and not self.is_over.is_set():
                before = done
                try:
                    for part in self._stream(wanted, done):
                        file.write(part)
                        done += len(part)
                        self._progress(len(part))
                        if self.is_over.is_set():
                            return False
                except PreconditionError:
                    raise
                except BaseError:
                    tries = 0 if done > before else tries + 1
                    if tries == _TRIES:
                        raise
                    self._sleep(_PAUSES_S[max(0, tries - 1)])
        if done == wanted.size:
            partial.replace(target)
        return done == wanted.size

    def _stream(self, wanted: RemoteFile, offset: int) -> Iterator[bytes]:
        """Yield the bytes of an object from an offset on, unless it has changed."""
        reply = obstore.get(
            self._store,
            wanted.name,
            options={"range": {"offset": offset}, "if_match": wanted.tag or None},
        )
        for part in reply.stream(_PIECE_BYTES):
            yield bytes(part)


def _partial(target: Path, wanted: RemoteFile) -> Path:
    """Return where the bytes of an object are kept that is not complete.

    Its name tells the object's content, so that no later one is taken for it.
    """
    content = hashlib.sha256(f"{wanted.tag} {wanted.size}".encode()).hexdigest()[:12]
    return target.with_name(f".{target.name}.{content}.partial")


def _is_here(wanted: RemoteFile, target: Path) -> bool:
    if not target.is_file():
        return False
    stat = target.stat()
    return stat.st_size == wanted.size and stat.st_mtime >= wanted.modified_s
