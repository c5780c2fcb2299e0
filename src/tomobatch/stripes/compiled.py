"""Compilation of the inner loops by numba."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function at its first call, to run without the interpreter's lock.

    The machine code is kept for later processes where numba finds a folder it can write to
    (``NUMBA_CACHE_DIR``, beside the source, or the user's cache); in a read-only container without
    one, every process compiles anew.
    """
    try:
        return cast(Function, numba.njit(nogil=True, cache=True)(function))
    except RuntimeError:
        return cast(Function, numba.njit(nogil=True)(function))
