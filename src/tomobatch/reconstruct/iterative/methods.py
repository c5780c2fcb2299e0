"""The methods that iterate, as ``reconstruct.methods`` takes them."""

from functools import partial

from tomobatch.opencl.devices import Device
from tomobatch.reconstruct.engine import Method
from tomobatch.reconstruct.geometry import Geometry
from tomobatch.reconstruct.iterative.cgls import Cgls
from tomobatch.reconstruct.iterative.engine import IterativeEngine, buffer_bytes, work
from tomobatch.reconstruct.iterative.sirt import Sirt
from tomobatch.reconstruct.iterative.tv import TotalVariation
from tomobatch.reconstruct.iterative.workspace import Iteration
from tomobatch.reconstruct.settings import IterativeName, ReconstructSettings

ITERATIONS: dict[IterativeName, type[Iteration]] = {
    "sirt": Sirt,
    "cgls": Cgls,
    "tv": TotalVariation,
}


def _method(name: IterativeName) -> Method:
    def make(
        device: Device, geometry: Geometry, lanes: int, chosen: ReconstructSettings
    ) -> IterativeEngine:
        n_iterations = chosen.n_iterations(name)
        return IterativeEngine(device, geometry, lanes, chosen, ITERATIONS[name], n_iterations)

    return Method(
        name,
        lanes=(16, 8, 4, 1),
        # Projecting 8 slices takes a CPU hardly less time than 16.
        well_filled=16,
        make=make,
        buffer_bytes=partial(buffer_bytes, ITERATIONS[name]),
        work=work,
    )


SIRT, CGLS, TV = (_method(name) for name in ITERATIONS)
