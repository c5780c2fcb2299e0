# ruff: noqa: ANN401
"""S3 checks the condition of a write at the moment of writing.

moto looks at the object first and writes after: of two that write at once under the condition that
nothing is there, both do.
"""

import threading
from functools import cache, wraps
from typing import Any

import moto.s3.responses

# Typed as Any, because what is mended here is not for a type checker to follow.
responses: Any = moto.s3.responses

_CONDITIONS = ("If-None-Match", "If-Match")


@cache
def mend_conditions() -> None:
    """Let conditional writes of this process follow one another; a second call does nothing."""
    kind = responses.S3Response
    put, lock = kind.put_object, threading.Lock()

    @wraps(put)
    def put_object(self: Any, *arguments: Any) -> Any:
        if not any(self.headers.get(name) for name in _CONDITIONS):
            return put(self, *arguments)
        with lock:
            return put(self, *arguments)

    kind.put_object = put_object
