"""Compilation of inner loops by numba, kept for later processes."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function, *, fastmath: bool = False) -> Function:
    """Compile a function at its first call, to run without the interpreter's lock.

    The machine code is kept where numba finds a folder it can write to (``NUMBA_CACHE_DIR``,
    beside the source, or the user's cache); in a read-only container without one, every process
    compiles anew. What is kept is compiled anew when the function's own file changes: functions
    that it inlines stand in the same file.

    Parameters
    ----------
    function
        To compile.
    fastmath
        Whether sums may be taken in another order.
    """
    try:
        compile_ = numba.njit(nogil=True, fastmath=fastmath, cache=True)
        return cast(Function, compile_(function))
    except RuntimeError:
        return cast(Function, numba.njit(nogil=True, fastmath=fastmath)(function))
