"""Which device is taken, and what is said where there is none."""

import os
import subprocess
import sys
from pathlib import Path

import pyopencl as cl
import pytest

from tomobatch.errors import UserError
from tomobatch.opencl import devices, link_tools, pocl
from tomobatch.opencl.devices import find_device, find_devices, list_devices


class Fake:
    """A device as OpenCL lists it."""

    def __init__(self, name: str, kind: int, platform_version: str = "OpenCL 3.0 X 1") -> None:
        self.name, self.type = name, kind
        self.version = platform_version
        self.platform = self
        self.available = True


CPU, GPU = cl.device_type.CPU, cl.device_type.GPU
FOUND = [
    Fake("old cpu", CPU, "OpenCL 3.0 PoCL 3.0-rc2"),
    Fake("new cpu", CPU, "OpenCL 3.0 PoCL 6.0"),
    Fake("gpu a", GPU),
    Fake("gpu b", GPU),
]


@pytest.fixture
def listed(monkeypatch):
    """Lets a test say which devices there are; they are not opened."""

    def set_to(*found: Fake) -> None:
        monkeypatch.setattr(devices, "list_devices", lambda: list(found))
        monkeypatch.setattr(devices, "_open", lambda device, kind: (device.name, kind))

    return set_to


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("auto", [("gpu a", "gpu"), ("gpu b", "gpu")]),
        ("gpu", [("gpu a", "gpu"), ("gpu b", "gpu")]),
        ("cpu", [("new cpu", "cpu")]),
    ],
)
def test_choice(kind, expected, listed) -> None:
    listed(*FOUND)
    assert find_devices(kind) == expected


def test_auto_falls_back_to_the_cpu(listed) -> None:
    listed(*FOUND[:1])
    assert find_device("auto") == ("old cpu", "cpu")


@pytest.mark.parametrize(
    ("there", "kind", "text"),
    [
        (FOUND[:2], "gpu", r"gpu was asked for, .* lists no GPU .*\(it lists old cpu, new cpu\)"),
        (FOUND[2:], "cpu", r"cpu was asked for, .* \(it lists gpu a, gpu b\)"),
        ([], "auto", "no OpenCL device found: install"),
        ([], "gpu", "lists no GPU here .it lists nothing."),
        (FOUND, "tpu", "device: 'tpu' is not one of auto, gpu, cpu"),
    ],
)
def test_what_is_missing_is_told_in_one_line(there, kind, text, listed) -> None:
    listed(*there)
    with pytest.raises(UserError, match=text) as error:
        find_device(kind)
    assert "\n" not in str(error.value)


def test_device_here_can_be_described_and_has_memory() -> None:
    device = find_device("cpu")
    assert device.description.startswith("CPU: ")
    assert 0 < device.free_memory_bytes() <= device.cl_device.global_mem_size
    assert find_device("cpu") is device


def test_linker_that_pocl_lacks_is_named(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    old = Fake("cpu", CPU, "OpenCL 3.0 PoCL 3.0-rc2")
    assert pocl.missing_link_tools(old) == ["binutils"]
    assert pocl.missing_link_tools(Fake("cpu", CPU, "OpenCL 3.0 PoCL 6.0")) == []
    monkeypatch.setattr(devices, "list_devices", lambda: [old])
    with pytest.raises(UserError, match="cannot link kernels without binutils: apt-get install"):
        find_device("cpu")


def test_make_names_it_before_anything_is_downloaded(monkeypatch, tmp_path, capsys) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(link_tools, "_INSTALLABLE_CLIENT_DRIVERS", tmp_path)
    monkeypatch.setattr(link_tools.platform, "machine", lambda: "x86_64")
    assert link_tools.main() == 1
    said = capsys.readouterr().err
    assert said.startswith("error: OpenCL on this CPU needs binutils: apt-get install gcc ")
    (tmp_path / "nvidia.icd").write_text("libnvidia-opencl.so.1")
    assert link_tools.main() == 0


AVX2 = "avx2 fma bmi1 bmi2 f16c abm movbe"
AVX512 = f"{AVX2} avx512f avx512bw avx512cd avx512dq avx512vl clwb adx"


@pytest.mark.parametrize(
    ("name", "flags", "better"),
    [
        ("generic", AVX512, "skx"),
        ("generic", AVX2, "haswell"),
        ("generic", "sse2", "x86-64"),
        ("generic", "", None),
        ("znver3", AVX512, "skx"),
        ("znver3", AVX2, None),
        ("skylake-avx512", AVX512, None),
    ],
)
def test_cpu_name_for_pocl_3(name, flags, better, monkeypatch) -> None:
    monkeypatch.setattr(pocl, "_cpu_flags", lambda: frozenset(flags.split()))
    assert pocl._better_cpu_name(name) == better
    if better is not None:
        assert len(better) <= len(name)


def test_home_that_cannot_be_written_is_no_hindrance(tmp_path) -> None:
    """A container's user often has no home; PoCL then lists no device."""
    program = (
        "import numpy as np; from tomobatch.reconstruct.slices import fbp;"
        "print(fbp(np.ones((1, 4, 8)), np.arange(4.0), device='cpu').shape)"
    )
    hidden = {"POCL_CACHE_DIR", "XDG_CACHE_HOME"}
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    environment |= {"HOME": "/proc/1", "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert done.stdout == "(1, 8, 8)\n", done.stderr
    (folder,) = tmp_path.glob("tomobatch-cache-*")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert any(Path(folder).iterdir())


def test_cache_folder_of_someone_else_is_not_used(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(pocl.tempfile, "gettempdir", lambda: str(tmp_path))
    open_to_all = tmp_path / f"tomobatch-cache-{os.getuid()}"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    assert pocl._private_folder() != open_to_all


def test_devices_are_listed() -> None:
    assert any(device.type & CPU for device in list_devices())
