"""Build the OpenCL kernels that lie beside their host files as ``.cl`` files."""

import threading
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import cast

import pyopencl as cl

from tomobatch.errors import UserError
from tomobatch.opencl.devices import Device

Define = int | float | str

OPTIONS = ("-cl-std=CL1.2", "-cl-mad-enable", "-cl-no-signed-zeros")
"""With which every kernel is built."""


def load_kernel(
    device: Device,
    name: str,
    defines: Mapping[str, Define] | None = None,
    *,
    package: str = "tomobatch.reconstruct",
) -> cl.Program:
    """Return the program of ``<name>.cl``, built for the device with the constants given.

    A program built before with the same constants is returned again.

    Parameters
    ----------
    device
        Where it will run.
    name
        Name of the file without ``.cl``.
    defines
        Constants of the build (``-D``); a float is written as a float literal of OpenCL.
    package
        The package that holds the file.

    Raises
    ------
    UserError
        The device's compiler refuses the kernel; the text holds the first line of its log.
    """
    pairs = tuple(sorted((key, _literal(value)) for key, value in (defines or {}).items()))
    with _ONE_AT_A_TIME:
        return _build(device, package, name, pairs)


_ONE_AT_A_TIME = threading.Lock()
"""Engines side by side want the same programs; warnings are silenced in all threads at once."""


def define_options(defines: Mapping[str, Define]) -> list[str]:
    """Return the options of a compiler that set the constants."""
    return [f"-D{key}={_literal(value)}" for key, value in sorted(defines.items())]


def build_log(program: cl.Program, device: Device) -> str:
    """Return what the compiler said when it built the program (empty: nothing)."""
    read = cast("Callable[..., object]", program.get_build_info)
    return str(read(device.cl_device, cl.program_build_info.LOG)).strip("\0 \n")


def _literal(value: Define) -> str:
    return f"{value!r}f" if isinstance(value, float) else str(value)


@cache
def _build(
    device: Device, package: str, name: str, defines: tuple[tuple[str, str], ...]
) -> cl.Program:
    text = (files(package) / f"{name}.cl").read_text(encoding="utf-8")
    program = cl.Program(device.context, f'#line 1 "{name}.cl"\n{text}')
    options = [*OPTIONS, *(f"-D{key}={value}" for key, value in defines)]
    try:
        with warnings.catch_warnings():
            # pyopencl warns of any compiler output at all; a test reads the logs instead.
            warnings.simplefilter("ignore", cl.CompilerWarning)
            # False: no cache by pyopencl, which wants a writable home; drivers keep their own.
            program.build(options=options, cache_dir=cast("str", False))
    except cl.RuntimeError as error:
        first = next((line for line in str(error).splitlines() if "error" in line), str(error))
        raise UserError(
            f"{name}.cl does not build on '{device.cl_device.name.strip()}': {first.strip()};"
            " `tomobatch doctor` shows what this device can do"
        ) from error
    return program
