"""Filtered back-projection by other packages, each used as one who knows it well would.

A factory does what a user does once (plans, projectors, factors) and returns the function that is
timed: sinograms float32 (slice, angle, x) to slices float32 (slice, y, x), all copies included.
Those that can write to a given array keep one, as they keep plans: what it costs to touch memory
that the machine has never used is no method's.
"""

from collections.abc import Callable

import numpy as np
import scipy.fft

from tomobatch.cores import n_usable_cores
from tomobatch.opencl.devices import find_device
from tomobatch.reconstruct.fft import in_parallel
from tomobatch.reconstruct.filter import frequency_response
from tomobatch.reconstruct.geometry import make_geometry
from tomobatch.reconstruct.methods import METHODS, make_plan
from tomobatch.reconstruct.settings import MethodName, ReconstructSettings
from tomobatch.reconstruct.slices import fbp

Reconstruct = Callable[[np.ndarray], np.ndarray]
Factory = Callable[[np.ndarray, int], Reconstruct]

# Slices of the chunk that is reconstructed.
CHUNK = 32


def tomobatch(method: MethodName) -> Factory:
    """Return the factory of this package with its tables and buffers kept, as peers keep plans."""

    def make(angles_rad: np.ndarray, n_px: int) -> Reconstruct:
        device = find_device("cpu")
        geometry = make_geometry(angles_rad, n_px)
        plan = make_plan(device, geometry, CHUNK, method, n_blocks=1)
        engine = METHODS[plan.method].make(
            device, geometry, plan.lanes, ReconstructSettings(padding="zero")
        )
        kept = np.full((CHUNK, n_px, n_px), np.nan, np.float32)

        def reconstruct(sinograms: np.ndarray) -> np.ndarray:
            slices = kept[: len(sinograms)]
            for i in range(0, len(sinograms), plan.lanes):
                block = slice(i, i + plan.lanes)
                cors = np.full(len(sinograms[block]), (n_px - 1) / 2)
                engine(sinograms[block], cors, slices[block])
            return slices

        return reconstruct

    return make


def public_call(angles_rad: np.ndarray, n_px: int) -> Reconstruct:
    """``fbp`` as a script calls it that goes through a scan: piece by piece, into one array."""
    kept: dict[int, np.ndarray] = {}

    def reconstruct(sinograms: np.ndarray) -> np.ndarray:
        slices = fbp(
            sinograms, angles_rad, padding="zero", device="cpu", out=kept.get(len(sinograms))
        )
        return kept.setdefault(len(sinograms), slices)

    return reconstruct


def _radial(angles_rad: np.ndarray, n_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the frequencies (angle * k, 2), rows first, and the factors (angle, k) of samples.

    The factors hold the same ramp as ours, the scale, the phase of the centre of rotation and that
    of the half pixel between the transform's origin and the slice's centre.
    """
    length = 2 * n_px
    k = 2 * np.pi * np.fft.fftfreq(length)
    k_y, k_x = np.outer(np.sin(angles_rad), k), np.outer(np.cos(angles_rad), k)
    response = frequency_response(length)
    ramp = np.concatenate([response, response[-2:0:-1]]) * np.pi / len(angles_rad) / length
    half = n_px // 2 - (n_px - 1) / 2
    factors = ramp * np.exp(1j * (k * (n_px - 1) / 2 + half * (k_x + k_y)))
    return np.stack([k_y.ravel(), k_x.ravel()], axis=1), factors.astype(np.complex64)


def _two_at_a_time(
    n_px: int,
    factors: np.ndarray,
    transform: Callable[[np.ndarray, np.ndarray], None],
    spread: Callable[[np.ndarray, np.ndarray], None],
) -> Reconstruct:
    """Return FBP that packs two real slices into one complex transform; buffers are kept."""
    rows = np.zeros(factors.shape, np.complex64)
    spectra = np.empty_like(rows)
    plane = np.empty((n_px, n_px), np.complex64)
    kept = np.full((CHUNK, n_px, n_px), np.nan, np.float32)

    def pair(sinograms: np.ndarray, slices: np.ndarray) -> None:
        def pack(part: slice) -> None:
            rows.real[part, :n_px], rows.imag[part, :n_px] = sinograms[:, part]

        def weigh(part: slice) -> None:
            np.multiply(spectra[part], factors[part], out=spectra[part])

        def unpack(part: slice) -> None:
            slices[0, part], slices[1, part] = plane.real[part], plane.imag[part]

        in_parallel(pack, len(rows), 64)
        transform(rows, spectra)
        in_parallel(weigh, len(rows), 64)
        spread(spectra, plane)
        in_parallel(unpack, n_px, 64)

    def reconstruct(sinograms: np.ndarray) -> np.ndarray:
        slices = kept[: len(sinograms)]
        for i in range(0, len(sinograms), 2):
            pair(sinograms[i : i + 2], slices[i : i + 2])
        return slices

    return reconstruct


def finufft(angles_rad: np.ndarray, n_px: int) -> Reconstruct:
    """FBP on finufft, forward transforms by scipy."""
    import finufft as package

    at, factors = _radial(angles_rad, n_px)
    threads = n_usable_cores()
    plan = package.Plan(1, (n_px, n_px), isign=1, eps=1e-3, dtype="complex64", nthreads=threads)
    plan.setpts(*(np.ascontiguousarray(column, dtype=np.float32) for column in at.T))

    def transform(rows: np.ndarray, spectra: np.ndarray) -> None:
        spectra[...] = scipy.fft.fft(rows, axis=1, workers=threads)

    return _two_at_a_time(
        n_px, factors, transform, lambda spectra, plane: plan.execute(spectra.ravel(), plane)
    )


def ducc0(angles_rad: np.ndarray, n_px: int) -> Reconstruct:
    """FBP on ducc0, forward transforms by ducc0 as well."""
    import ducc0 as package

    at, factors = _radial(angles_rad, n_px)
    threads = n_usable_cores()
    plan = package.nufft.plan(
        nu2u=True,
        coord=np.ascontiguousarray(at, dtype=np.float32),
        grid_shape=(n_px, n_px),
        epsilon=1e-3,
        nthreads=threads,
        periodicity=2 * np.pi,
    )

    def transform(rows: np.ndarray, spectra: np.ndarray) -> None:
        package.fft.c2c(rows, axes=(1,), nthreads=threads, out=spectra)

    def spread(spectra: np.ndarray, plane: np.ndarray) -> None:
        plan.nu2u(points=spectra.ravel(), out=plane, forward=False)

    return _two_at_a_time(n_px, factors, transform, spread)


def algotom(angles_rad: np.ndarray, n_px: int) -> Reconstruct:
    """FBP of algotom on the CPU (numba), slice by slice as its users do."""
    from algotom.rec.reconstruction import fbp_reconstruction

    def one(sinogram: np.ndarray) -> np.ndarray:
        found = fbp_reconstruction(
            sinogram,
            (n_px - 1) / 2,
            angles=angles_rad,
            filter_name=None,
            apply_log=False,
            gpu=False,
        )
        return found[::-1]  # its y grows upwards

    return lambda sinograms: np.array([one(sinogram) for sinogram in sinograms])


def astra(angles_rad: np.ndarray, n_px: int) -> Reconstruct:
    """FBP of ASTRA on the CPU with linear interpolation; projector and algorithm kept."""
    import astra as package

    volume = package.create_vol_geom(n_px, n_px)
    geometry = package.create_proj_geom("parallel", 1.0, n_px, angles_rad)
    sinogram_id = package.data2d.create("-sino", geometry)
    slice_id = package.data2d.create("-vol", volume)
    options = package.astra_dict("FBP")
    options["ProjectorId"] = package.create_projector("linear", geometry, volume)
    options["ProjectionDataId"], options["ReconstructionDataId"] = sinogram_id, slice_id
    algorithm = package.algorithm.create(options)

    def one(sinogram: np.ndarray) -> np.ndarray:
        package.data2d.store(sinogram_id, sinogram)
        package.algorithm.run(algorithm)
        return package.data2d.get(slice_id)[::-1]  # its y grows upwards

    return lambda sinograms: np.array([one(sinogram) for sinogram in sinograms])


def scikit_image(angles_rad: np.ndarray, n_px: int) -> Reconstruct:
    """``iradon`` of scikit-image; its centre is column n // 2, so ours is half a pixel off it."""
    from skimage.transform import iradon

    angles_deg = np.degrees(angles_rad)

    def one(sinogram: np.ndarray) -> np.ndarray:
        return iradon(sinogram.T, theta=angles_deg, output_size=n_px)[::-1]

    return lambda sinograms: np.array([one(sinogram) for sinogram in sinograms])
