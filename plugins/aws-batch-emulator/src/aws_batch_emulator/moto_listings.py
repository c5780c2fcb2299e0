# ruff: noqa: ANN401
"""S3 lists a bucket from which something is being deleted.

moto walks a copy of the names and looks each up in the bucket itself: where one is gone by then,
the reply is an internal error.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import moto.s3.utils

# Typed as Any, because what is mended here is not for a type checker to follow.
utils: Any = moto.s3.utils


@cache
def mend_listings() -> None:
    """Let listings be of one moment in this process; a second call does nothing."""

    def items(store: Any) -> Iterator[tuple[str, Any]]:
        for key, versions in store._self_iterable().items():
            yield key, versions[-1]

    def values(store: Any) -> Iterator[Any]:
        for _, value in items(store):
            yield value

    kind = utils._VersionedKeyStore
    kind._iteritems = kind.items = kind.iteritems = items
    kind._itervalues = kind.values = kind.itervalues = values
