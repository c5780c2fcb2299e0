"""What PoCL 3 links kernels with, and where a machine has none of it: ``make demo`` asks first.

Run as a script by any Python, before anything is installed, it says so in one line. Decision 11.
"""

import platform
import shutil
import sys
from pathlib import Path

_LIBRARIES = (Path("/usr/lib"), Path("/usr/lib64"), Path("/lib"))
_INSTALLABLE_CLIENT_DRIVERS = Path("/etc/OpenCL/vendors")
INSTALL = "apt-get install gcc libc6-dev (elsewhere, the packages of ld, libgcc and libc)"


def missing_link_tools() -> list[str]:
    """Name the Debian packages that are missing to link a kernel."""
    found = {
        "binutils": shutil.which("ld") is not None,
        "libgcc-dev": any(any(path.glob("gcc/*/*/libgcc.a")) for path in _LIBRARIES),
        "libc6-dev": any(
            any(path.glob(pattern)) for path in _LIBRARIES for pattern in ("libc.so", "*/libc.so")
        ),
    }
    return [package for package, present in found.items() if not present]


def main() -> int:
    """Return 1, and say why, where the device that pip installs would be the only one."""
    from_pip = (platform.system(), platform.machine()) == ("Linux", "x86_64")
    if not from_pip or any(_INSTALLABLE_CLIENT_DRIVERS.glob("*.icd")):
        return 0
    missing = missing_link_tools()
    if missing:
        told = f"OpenCL on this CPU needs {', '.join(missing)}: {INSTALL}"
        sys.stderr.write(f"error: {told}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
