"""Every kernel builds with every set of options, without a word from the compiler."""

from importlib.resources import files

import pytest
from tests.reconstruct import numpy_transforms

from tomobatch import doctor
from tomobatch.doctor import examine, render
from tomobatch.errors import UserError
from tomobatch.opencl import kernels
from tomobatch.opencl.devices import find_device
from tomobatch.opencl.kernels import build_log, load_kernel
from tomobatch.reconstruct.selftest import KernelCheck

PACKAGES = {
    "tomobatch.reconstruct": "",
    "tomobatch.reconstruct.cone": "cone/",
    "tomobatch.reconstruct.iterative": "iterative/",
    "tomobatch.normalise": "",
}
"""Where there are kernels, and how the report tells them apart."""


@pytest.fixture(scope="module")
def built():
    """The programs that an examination builds, by file, and its report."""
    programs = []
    load = kernels._build

    def record(device, package, name, defines):
        program = load(device, package, name, defines)
        programs.append((package, name, program))
        return program

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "_build", record)
        numpy_transforms.stand_in(patch)
        report = examine("cpu")
    return programs, report


def test_every_kernel_file_is_examined(built) -> None:
    programs, report = built
    built_files = {(package, f"{name}.cl") for package, name, _ in programs}
    for package in PACKAGES:
        there = {(package, f.name) for f in files(package).iterdir() if f.name.endswith(".cl")}
        assert there
        assert there <= built_files
    told = {name for check in report.checks for name in check.kernel.split(", ")}
    assert told == {PACKAGES[package] + name for package, name in built_files} - {"layout.cl"}


@pytest.mark.cpu
def test_compiler_has_nothing_to_say(built) -> None:
    programs, _ = built
    device = find_device("cpu")
    assert [build_log(program, device) for _, _, program in programs] == [""] * len(programs)


def test_every_kernel_equals_its_twin(built) -> None:
    _, report = built
    assert [check for check in report.checks if not check.passed] == []
    assert report.ok
    assert report.gups > 0
    assert report.copy_gb_s > 0
    assert len(report.plans) == 3


def test_report_reads_well(built) -> None:
    _, report = built
    text = render(report)
    assert find_device("cpu").description in text
    assert "cpu was asked for" in text
    assert "GUPS" in text
    assert text.endswith("all is well")
    assert report.to_dict()["ok"] is True


def test_a_wrong_kernel_fails_the_examination(monkeypatch) -> None:
    wrong = KernelCheck("direct.cl", "1 slices", 0.3, 1e-5)
    broken = KernelCheck("direct.cl", "4 slices", None, 1e-5, "does not build")
    nan = KernelCheck("direct.cl", "8 slices", float("nan"), 1e-5)
    monkeypatch.setattr(doctor, "check_kernels", lambda device: [wrong, broken, nan])
    for others in ("check_cone", "check_normalise"):
        monkeypatch.setattr(doctor, others, lambda device: [])
    found = examine("cpu")
    assert not found.ok
    text = render(found)
    assert text.count("FAILED") == 3
    assert "does not build" in text
    assert text.endswith("error: 3 of 3 kernels fail")


def test_examination_without_the_device_asked_for(monkeypatch) -> None:
    def none(kind: str) -> None:
        raise UserError(f"no {kind}")

    monkeypatch.setattr(doctor, "find_device", none)
    report = examine("gpu")
    assert not report.ok
    assert render(report).endswith("error: no gpu")


def test_error_of_the_compiler_names_file_and_line() -> None:
    with pytest.raises(UserError, match=r"direct\.cl does not build .*:\d+") as error:
        load_kernel(find_device("cpu"), "direct", {"VEC": "float", "N_VECS": 1})
    assert "\n" not in str(error.value)


def test_float_constants_are_floats() -> None:
    assert kernels._literal(0.5) == "0.5f"
    assert kernels._literal(3) == "3"
    assert kernels._literal("float4") == "float4"
