"""What the kernels take of a GPU, by the maker's assembler, against limits."""

import pytest
from benchmarks import kernel_resources
from benchmarks.kernel_resources import UNITS, MissingTools, Resources, assemble, builds

from tomobatch.reconstruct.model import GPUS

# Most bytes of stack of a work-item, and least share of a T4's work-items that groups fill.
LIMITS = {
    "direct, local": (0, 0.5),
    "direct, split_slices": (0, 1.0),
    "rows, ": (0, 1.0),
    "fourier, weigh": (0, 0.5),
    "fourier, spread_shared, 2 slices": (0, 0.15),
    "fourier, spread_shared, 4 slices": (0, 0.15),
    "fourier, spread_shared, 8 slices": (0, 0.2),
    "fourier, spread_shared, 16 slices": (0, 0.5),
    "fourier, cut": (0, 1.0),
    "iterative, ": (0, 0.5),
    "cone, local": (0, 0.5),
    "cone rays, ": (0, 0.5),
    "cone volumes, ": (0, 0.5),
    # Used on the CPU: it looks for the median of a window by index.
    "normalise": (192, 0.15),
}

SAID = """\
ptxas info    : Compiling entry function 'cut' for 'sm_75'
ptxas info    : Function properties for cut
    64 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 46 registers, used 0 barriers, 64 bytes cumulative stack size
ptxas info    : Compiling entry function 'spread' for 'sm_75'
ptxas info    : Function properties for spread
    0 bytes stack frame, 4 bytes spill stores, 8 bytes spill loads
ptxas info    : Used 72 registers, used 1 barriers, 43264 bytes smem, 416 bytes cmem[0]
"""


def test_what_the_assembler_says_is_read_by_kernel():
    assert kernel_resources.read_resources(SAID, "cut") == Resources(46, 64, 0, 0)
    assert kernel_resources.read_resources(SAID, "spread") == Resources(72, 0, 4, 43264)


@pytest.mark.parametrize(
    ("took", "group", "architecture", "groups"),
    [
        (Resources(72, 0, 0, 43264), 80, 75, 1),  # by local memory
        (Resources(32, 0, 0, 0), 256, 75, 4),  # by work-items
        (Resources(64, 0, 0, 0), 256, 90, 4),  # by registers
        (Resources(16, 0, 0, 0), 32, 86, 16),  # by groups
        (Resources(255, 0, 0, 0), 33, 75, 4),  # registers are given by warps
    ],
)
def test_groups_of_a_multiprocessor(took, group, architecture, groups):
    unit = UNITS[architecture]
    assert took.groups(unit, group) == groups
    assert took.occupancy(unit, group) == groups * group / unit.threads


@pytest.fixture
def assembled():
    """Leave a test out where nothing can be assembled."""
    try:
        kernel_resources.tools()
    except MissingTools as reason:
        pytest.skip(str(reason))


@pytest.mark.usefixtures("assembled")
def test_the_model_has_the_occupancies_of_the_table():
    by_label = {build.label: build for build in builds()}
    for (architecture, unit), gpu in zip(UNITS.items(), GPUS, strict=True):
        assert unit.gpu == gpu.name
        for label, told in (
            ("direct, local, 32 slices", gpu.direct_occupancy),
            ("fourier, spread_shared, 16 slices", gpu.spread_occupancy),
        ):
            build = by_label[label]
            share = assemble(build, architecture).occupancy(unit, build.group)
            assert share == pytest.approx(told, abs=0.01), (label, gpu.name)


@pytest.mark.usefixtures("assembled")
def test_every_kernel_keeps_within_its_limits():
    beyond, met = [], set()
    for build in builds():
        (name,) = (each for each in LIMITS if build.label.startswith(each))
        met.add(name)
        stack, share = LIMITS[name]
        for architecture in (75, 90):
            took = assemble(build, architecture)
            occupancy = took.occupancy(UNITS[75], build.group)
            # A kernel that the assembler did not mention has no registers.
            if took.registers == 0 or took.spills or took.stack > stack or occupancy < share:
                beyond.append((build.label, architecture, took, occupancy))
    assert beyond == []
    assert met == set(LIMITS)
