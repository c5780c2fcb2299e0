"""What the kernels take of four GPUs, by the maker's assembler: registers, stack, local memory.

    python benchmarks/kernel_resources.py [--write]

clang and libclc (Debian: clang-19, libclc-19) compile each kernel to PTX, ptxas (CUDA's, or the
wheel nvidia-cuda-nvcc) assembles it. Neither needs a GPU. The driver of a GPU has a compiler of its
own: near to this, but not the same. `--write` puts the table into docs/explanation/gpu-kernels.md.
"""

import functools
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from tomobatch.beam import ConeBeam
from tomobatch.normalise.normalise import program_defines
from tomobatch.opencl.kernels import OPTIONS, Define, define_options
from tomobatch.reconstruct.cone.geometry import make_cone_geometry
from tomobatch.reconstruct.cone.projector import LANES
from tomobatch.reconstruct.cone.variants import local as cone_local
from tomobatch.reconstruct.fourier import STANDARD
from tomobatch.reconstruct.iterative.cut import rays as iterative_cut
from tomobatch.reconstruct.tiling import make_tiling
from tomobatch.reconstruct.variants import local

PAGE = Path(__file__).parents[1] / "docs/explanation/gpu-kernels.md"
LIBCLC = Path("/usr/lib/clc/nvptx64--nvidiacl.bc")
LOCAL_BYTES = 48 * 1024
"""What the maker's OpenCL grants a group, on all four."""


class MissingTools(Exception):
    """What is not installed, in one line."""


@dataclass(frozen=True)
class Unit:
    """What a multiprocessor has, of the CUDA programming guide's table of compute capabilities."""

    gpu: str
    threads: int
    groups: int
    local_bytes: int
    registers: int = 65536
    reserved_bytes: int = 1024


UNITS = {
    75: Unit("T4", 1024, 16, 64 * 1024, reserved_bytes=0),
    86: Unit("A10G", 1536, 16, 100 * 1024),
    89: Unit("L4", 1536, 24, 100 * 1024),
    90: Unit("H100", 2048, 32, 228 * 1024),
}


@dataclass(frozen=True)
class Build:
    """A kernel of a file with its constants, and the work-items of a group."""

    label: str
    package: str
    file: str
    kernel: str
    defines: dict[str, Define]
    group: int


@dataclass(frozen=True)
class Resources:
    """What a kernel takes: registers a work-item, bytes of stack and spills, bytes of a group."""

    registers: int
    stack: int
    spills: int
    local_bytes: int

    def groups(self, unit: Unit, group: int) -> int:
        """Return how many groups a unit holds at a time: registers go by warps, in eights."""
        warps = -(-group // 32)
        of_warp = -(-self.registers * 32 // 256) * 256
        return min(
            unit.groups,
            unit.threads // (32 * warps),
            unit.registers // (of_warp * warps),
            unit.local_bytes // max(self.local_bytes + unit.reserved_bytes, 1),
        )

    def occupancy(self, unit: Unit, group: int) -> float:
        """Return the share of a unit's work-items that are filled."""
        return self.groups(unit, group) * group / unit.threads


def builds() -> list[Build]:
    """Return every kernel as a GPU gets it, in blocks of all sizes."""
    slices = "tomobatch.reconstruct"
    found = []
    for lanes in (4, 16, 32):
        cut = local(lanes, 1, LOCAL_BYTES)
        assert cut is not None
        label = f"direct, local, {lanes} slices"
        group = cut.side**2
        found.append(Build(label, slices, "direct_local", "back_project", cut.defines, group))
    for lanes in (2, 4, 8, 16):
        tiling = make_tiling(lanes, STANDARD, LOCAL_BYTES, shared=True)
        across, down = tiling.group
        for file, kernel, group in (
            ("sampling", "weigh", 256),
            ("gridding", "spread_shared", across * down),
            ("gridding", "cut", 256),
        ):
            label = f"fourier, {kernel}, {lanes} slices"
            found.append(Build(label, slices, file, kernel, tiling.defines, group))
    for kernel in ("pad", "filter", "interleave"):
        found.append(Build(f"rows, {kernel}", slices, "rows", kernel, {"LANES": 16}, 256))
    layout: dict[str, Define] = {"LANES": 16, "N_PIXELS": 64}
    found.append(Build("direct, split_slices", slices, "layout", "split_slices", layout, 256))
    for lanes in (4, 16):
        found += _of_iterations(lanes)
    found += _of_cones()
    defines, group = program_defines("gpu", "ushort", keep_zingers=False)
    package = "tomobatch.normalise"
    found.append(Build("normalise, uint16", package, "normalise", "normalise", defines, group))
    return found


def _of_iterations(lanes: int) -> list[Build]:
    """Return the kernels of the methods that iterate, in blocks of so many slices."""
    package, cut = "tomobatch.reconstruct.iterative", iterative_cut(lanes)
    projecting = ("project", "back_project", "turn")
    steps = ("sum_squares", "step_along", "shrink_gradient", "step_ahead")
    return [
        Build(f"iterative, {kernel}, {lanes} slices", package, file, kernel, defines, cut.group)
        for file, kernels, defines in (
            ("projector", projecting, cut.defines),
            ("algebra", steps, cut.algebra),
        )
        for kernel in kernels
    ]


def _of_cones() -> list[Build]:
    """Return the kernels of a cone beam: of FDK, and of the methods that iterate."""
    package = "tomobatch.reconstruct.cone"
    beam = ConeBeam(1500, 3000, 1.0, 1.0)
    patches = cone_local(make_cone_geometry(beam, [0.0, 1.6, 3.2, 4.8], 1024, 1024), LOCAL_BYTES)
    assert patches is not None
    group, rays = patches.n_z * 4, LANES.defines(pad=24)
    return [
        Build("cone, local", package, "local", "back_project", patches.defines, group),
        *(
            Build(f"cone rays, {kernel}", package, "rays", kernel, rays, LANES.group)
            for kernel in ("project", "stretch", "back_project")
        ),
        *(
            Build(f"cone volumes, {kernel}", package, "gradient", kernel, {}, 64)
            for kernel in ("shrink_gradient", "step_ahead")
        ),
    ]


@functools.cache
def tools() -> tuple[str, str]:
    """Return clang and ptxas.

    Raises
    ------
    MissingTools
        Saying which is not installed.
    """
    clang = next(filter(None, map(shutil.which, ("clang-19", "clang"))), None)
    ptxas = shutil.which("ptxas") or _of_wheel()
    missing = [
        *([] if clang else ["clang (Debian: clang-19)"]),
        *([] if LIBCLC.is_file() else [f"{LIBCLC} (Debian: libclc-19)"]),
        *([] if ptxas else ["ptxas (pip install nvidia-cuda-nvcc-cu12)"]),
    ]
    if missing or clang is None or ptxas is None:
        raise MissingTools(f"kernels are not assembled for GPUs without {', '.join(missing)}")
    return clang, ptxas


def _of_wheel() -> str | None:
    """Return the assembler that NVIDIA's wheel brings, wherever that version has it."""
    found = importlib.util.find_spec("nvidia")
    for root in found.submodule_search_locations or [] if found else []:
        for path in Path(root).rglob("bin/ptxas"):
            return str(path)
    return None


def assemble(build: Build, architecture: int) -> Resources:
    """Compile and assemble one kernel, and return what it takes."""
    text = (files(build.package) / f"{build.file}.cl").read_text(encoding="utf-8")
    ptx = _compile(text, tuple(define_options(build.defines)))
    return read_resources(_assemble(ptx, architecture), build.kernel)


@functools.cache
def _compile(text: str, options: tuple[str, ...]) -> str:
    """Return PTX for the oldest of the four, which the assembler takes for all."""
    clang, _ = tools()
    command = [
        *(clang, "-x", "cl", *OPTIONS, *options, "-O3", "-S", "-o", "-", "-Wno-everything"),
        *("--target=nvptx64-nvidia-nvcl", "-Xclang", "-target-cpu", "-Xclang"),
        *(f"sm_{min(UNITS)}", "-Xclang", "-finclude-default-header"),
        *("-Xclang", "-mlink-builtin-bitcode", "-Xclang", str(LIBCLC), "-"),
    ]
    # The assembler is made for CUDA and refuses OpenCL's mode of textures, of which there are none.
    return _run(command, text).replace(", texmode_independent", "")


@functools.cache
def _assemble(ptx: str, architecture: int) -> str:
    """Return what the assembler says of all kernels of a file."""
    _, ptxas = tools()
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "kernels.ptx"
        source.write_text(ptx)
        target = f"-arch=sm_{architecture}"
        return _run([ptxas, "-v", target, str(source), "-o", str(source.with_suffix(".cubin"))])


def _run(command: list[str], text: str = "") -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
    return done.stdout + done.stderr


def read_resources(said: str, kernel: str) -> Resources:
    """Return what ``ptxas -v`` said of one kernel."""
    part = said.partition(f"Compiling entry function '{kernel}'")[2].partition("Compiling entry")[0]

    def number(pattern: str) -> int:
        found = re.search(pattern, part)
        return int(found[1]) if found else 0

    return Resources(
        registers=number(r"Used (\d+) registers"),
        stack=number(r"(\d+) bytes stack frame"),
        spills=number(r"(\d+) bytes spill stores"),
        local_bytes=number(r"(\d+) bytes smem"),
    )


def table() -> str:
    """Return the table, in Markdown."""
    names = [f"{unit.gpu} (sm_{number})" for number, unit in UNITS.items()]
    lines = [
        "| kernel | items a group | local memory, bytes | stack, spills | "
        + " | ".join(names)
        + " |",
        "|---|--:|--:|--:|" + "---|" * len(names),
    ]
    for build in builds():
        cells = []
        for number, unit in UNITS.items():
            took = assemble(build, number)
            share = took.occupancy(unit, build.group)
            cells.append(
                f"{took.registers} registers, {took.groups(unit, build.group)} groups, {share:.0%}"
            )
        rest = f"{took.local_bytes} | {took.stack}, {took.spills}"
        lines.append(f"| {build.label} | {build.group} | {rest} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table, or put it into the page between its marks."""
    try:
        text = table()
    except MissingTools as error:
        sys.exit(f"error: {error}")
    print(text)
    if "--write" in sys.argv:
        page = PAGE.read_text(encoding="utf-8")
        before, mark, rest = page.partition("<!-- table -->\n")
        after = rest.partition("<!-- end -->")[2]
        PAGE.write_text(f"{before}{mark}{text}\n<!-- end -->{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
