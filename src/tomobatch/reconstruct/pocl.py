"""What PoCL 3.0, the OpenCL runtime of the ``pyopencl[pocl]`` wheels, needs before it can compile.

Three things go wrong on machines newer, slimmer or more locked down than its makers had in mind:

* It keeps compiled kernels under the home folder, and offers no device where it cannot write there.
* It links every kernel with the system's ``ld`` against libgcc and libc. Devices are listed without
  them, and the first kernel then fails far from the cause.
* Its LLVM (14) calls a CPU it does not know ``generic``, a name its own compiler then refuses
  ("unknown target CPU 'generic'": any AMD Zen 5).

Each is mended or told apart here; a current PoCL needs none of this and is left alone.
"""

import os
import shutil
import struct
import tempfile
from pathlib import Path

import pyopencl as cl

_DEVICE_RECORD_BYTES = 4096
_UNKNOWN_CPU = b"generic\0"


def use_writable_cache() -> None:
    """Point PoCL's kernel cache at a folder that can be written, if the usual one cannot.

    Takes effect only before the first platform is listed.
    """
    if "POCL_CACHE_DIR" in os.environ:
        return
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        os.environ["POCL_CACHE_DIR"] = str(_private_folder())


def _private_folder() -> Path:
    """Return a folder only this user can write: compiled kernels are loaded from it and run."""
    folder = Path(tempfile.gettempdir()) / f"tomobatch-pocl-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o022 or folder.is_symlink():
        return Path(tempfile.mkdtemp(prefix="tomobatch-pocl-"))
    return folder


def missing_link_tools(device: cl.Device) -> list[str]:
    """Name the Debian packages that PoCL 3 lacks to link a kernel (empty: none, or not PoCL 3)."""
    if "PoCL 3." not in device.platform.version:
        return []
    libraries = [Path("/usr/lib"), Path("/usr/lib64"), Path("/lib")]
    found = {
        "binutils": shutil.which("ld") is not None,
        "libgcc-dev": any(any(path.glob("gcc/*/*/libgcc.a")) for path in libraries),
        "libc6-dev": any(
            any(path.glob(pattern)) for path in libraries for pattern in ("libc.so", "*/libc.so")
        ),
    }
    return [package for package, present in found.items() if not present]


def name_unknown_cpu(device: cl.Device) -> None:
    """Give PoCL 3.0 a CPU name its compiler accepts, where it calls the CPU ``generic``.

    The name is a C string that the device's record points to, and no option or variable of that
    version reaches it, so it is overwritten in place with a shorter one. Memory is read and written
    through /proc/self/mem, which answers a wrong address with an error instead of a crash. The name
    stands for a level of instructions that the CPU's own flags declare.
    """
    if "PoCL 3." not in device.platform.version or not device.version.endswith("-generic"):
        return
    name = _cpu_name()
    if name is None:
        return
    try:
        memory = os.open("/proc/self/mem", os.O_RDWR)
    except OSError:
        return
    try:
        address = _find_string(memory, device.int_ptr, _UNKNOWN_CPU)
        if address is not None:
            os.pwrite(memory, name, address)
    finally:
        os.close(memory)


def _cpu_name() -> bytes | None:
    """Return an LLVM 14 name, no longer than ``generic``, for what /proc/cpuinfo declares."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return None
    flags = next((set(line.split()) for line in lines if line.startswith("flags")), set[str]())
    if {"avx2", "fma", "bmi2", "f16c", "sha_ni", "vaes", "vpclmulqdq", "clwb"} <= flags:
        return b"znver3\0\0"
    if {"avx2", "fma", "bmi2", "f16c", "lahf_lm", "movbe"} <= flags:
        return b"haswell\0"
    return b"x86-64\0\0" if flags else None


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
