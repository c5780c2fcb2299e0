"""Kernels that are broken on purpose, to see that the simulator notices."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files

import pytest

from tomobatch.opencl import kernels


@dataclass(frozen=True)
class Mutant:
    """A change of one place of a kernel file, and what is to be said of it."""

    variant: str
    file: str
    old: str
    new: str
    said: str


MUTANTS = {
    "a race in local memory": Mutant(
        "local",
        "direct_local.cl",
        "barrier(CLK_LOCAL_MEM_FENCE);\n        for (int angle",
        "for (int angle",
        "data race at local memory",
    ),
    "a race in global memory": Mutant(
        "local",
        "direct_local.cl",
        "image[((size_t)y * width + x) * N_VECS + k] = sum[k]",
        "image[((size_t)top * width + x) * N_VECS + k] = sum[k]",
        "data race at global memory",
    ),
    "an overrun of global memory": Mutant(
        "tiles",
        "direct.cl",
        "min(tile_y + TILE, height)",
        "tile_y + TILE",
        "Invalid read of size 4 at global memory",
    ),
    "an overrun of local memory": Mutant(
        "local",
        "direct_local.cl",
        "clamp((int)t, 0, STRIP - 2)",
        "(N_ANGLES * STRIP + clamp((int)t, 0, STRIP - 2))",
        "Invalid read of size 16 at local memory",
    ),
    "a barrier that not all reach": Mutant(
        "local", "direct_local.cl", "if (!seen)", "if (!seen || in_x == 3)", "divergence"
    ),
}


@contextmanager
def broken(mutant: Mutant) -> Iterator[None]:
    """Have the kernel built with its fault, and built anew afterwards."""

    class Folder:
        def __init__(self, package: str) -> None:
            self.package = package

        def __truediv__(self, name: str) -> "Folder":
            self.name = name
            return self

        def read_text(self, encoding: str) -> str:
            text = (files(self.package) / self.name).read_text(encoding=encoding)
            if self.name != mutant.file:
                return text
            assert text.count(mutant.old) == 1
            return text.replace(mutant.old, mutant.new)

    kernels._build.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "files", Folder)
        yield
    kernels._build.cache_clear()
