"""Every kernel on a simulated device: no race, no overrun, no barrier that some miss."""

from tests.leaving_out import leave_out
from tests.simulator.mutants import MUTANTS
from tests.simulator.oclgrind import NoOclgrind, simulate

FILES = (
    *("direct.cl", "direct_local.cl", "direct_image.cl", "sampling.cl, gridding.cl"),
    *("cone/columns.cl", "cone/local.cl", "cone/image.cl", "normalise.cl"),
    *("iterative/projector.cl, iterative/algebra.cl", "cone/rays.cl"),
    "cone/rays.cl, cone/gradient.cl",
)


def simulated(tmp_path_factory, *arguments):
    try:
        return simulate(tmp_path_factory.mktemp("oclgrind"), *arguments)
    except NoOclgrind as reason:
        leave_out(str(reason))


def test_every_kernel_is_right_and_the_simulator_is_silent(tmp_path_factory):
    outcomes = simulated(tmp_path_factory)
    assert [one for one in outcomes if not one["passed"] or one["said"]] == []
    assert {one["case"].partition(":")[0] for one in outcomes} >= set(FILES)
    assert len(outcomes) > 50


def test_the_simulator_notices_what_is_planted(tmp_path_factory):
    """A race, an overrun and a torn barrier in a kernel of ours, of which it says so."""
    outcomes = {
        one["case"].partition(": ")[2]: one for one in simulated(tmp_path_factory, "mutants")
    }
    assert set(outcomes) == set(MUTANTS)
    unheard = {
        name: one["said"][:300]
        for name, one in outcomes.items()
        if MUTANTS[name].said not in one["said"]
    }
    assert unheard == {}
