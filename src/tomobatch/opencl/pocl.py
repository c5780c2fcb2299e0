"""What PoCL 3.0, the OpenCL runtime of the ``pyopencl[pocl]`` wheels, needs before it can compile.

Three things go wrong on machines newer, slimmer or more locked down than its makers had in mind:

* It keeps compiled kernels under the home folder, and offers no device where it cannot write there.
* It links every kernel with the system's ``ld`` against libgcc and libc. Devices are listed without
  them, and the first kernel then fails far from the cause.
* Its LLVM (14) names the CPU by what was known in 2022. An AMD Zen 5 becomes ``generic``, which its
  own compiler then refuses ("unknown target CPU 'generic'"); a Zen 4 becomes ``znver3``, without
  the AVX-512 of the built-in functions that it is then given, and a built-in of 16 floats aborts
  the process.

Each is mended or told apart here; a current PoCL needs none of this and is left alone.

Decision 11.
"""

import os
import struct
import tempfile
from pathlib import Path

import pyopencl as cl

from tomobatch.opencl import link_tools

_DEVICE_RECORD_BYTES = 4096
_AVX512 = frozenset({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "clwb", "adx"})
_AVX2 = frozenset({"avx2", "fma", "bmi1", "bmi2", "f16c", "abm", "movbe"})


def use_writable_cache() -> None:
    """Point the caches of PoCL and pyopencl at a folder that can be written, if the usual cannot.

    Takes effect only before the first platform is listed.
    """
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        os.environ["XDG_CACHE_HOME"] = str(_private_folder())


def _private_folder() -> Path:
    """Return a folder only this user can write: compiled kernels are loaded from it and run."""
    folder = Path(tempfile.gettempdir()) / f"tomobatch-cache-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o022 or folder.is_symlink():
        return Path(tempfile.mkdtemp(prefix="tomobatch-cache-"))
    return folder


def is_version_3(device: cl.Device) -> bool:
    """Tell whether the device is of the PoCL that comes with pyopencl's wheels."""
    return "PoCL 3." in device.platform.version


def missing_link_tools(device: cl.Device) -> list[str]:
    """Name the Debian packages that PoCL 3 lacks to link a kernel (empty: none, or not PoCL 3)."""
    if not is_version_3(device):
        return []
    return link_tools.missing_link_tools()


def correct_cpu_name(device: cl.Device) -> None:
    """Give PoCL 3 the name of a CPU that its compiler knows and that has this CPU's vectors.

    The name is a C string that the device's record points to, and no option or variable of that
    version reaches it, so it is overwritten in place with one that is no longer. Memory is read and
    written through /proc/self/mem, which answers a wrong address with an error, not with a crash.
    The new name stands for a level of instructions that the CPU's own flags declare.
    """
    name = device.version.rpartition("-")[2]
    better = _better_cpu_name(name)
    if not is_version_3(device) or better is None:
        return
    try:
        memory = os.open("/proc/self/mem", os.O_RDWR)
    except OSError:
        return
    try:
        address = _find_string(memory, device.int_ptr, name.encode() + b"\0")
        if address is not None:
            os.pwrite(memory, better.encode() + b"\0", address)
    finally:
        os.close(memory)


def _better_cpu_name(name: str) -> str | None:
    """Return a name of LLVM 14, no longer than the given one, where that one will not do."""
    flags = _cpu_flags()
    if name in ("generic", "znver3") and flags >= _AVX512:
        return "skx"
    if name == "generic" and flags:
        return "haswell" if flags >= _AVX2 else "x86-64"
    return None


def _cpu_flags() -> frozenset[str]:
    """Return the instruction sets that Linux lists for this CPU (empty: not told)."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return frozenset()
    return next(
        (frozenset(line.split()) for line in lines if line.startswith("flags")), frozenset()
    )


def _find_string(memory: int, record: int, text: bytes) -> int | None:
    """Return the address of the first string equal to ``text`` that the record points to."""
    for offset in range(0, _DEVICE_RECORD_BYTES, 8):
        try:
            (address,) = struct.unpack("Q", os.pread(memory, 8, record + offset))
            if 4096 <= address < 2**47 and os.pread(memory, len(text), address) == text:
                return int(address)
        except (OSError, struct.error):
            continue
    return None
