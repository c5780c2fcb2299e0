"""Days on which everything is known, and runs small enough to work out by hand."""

from dataclasses import replace

import numpy as np

from tomobatch.fleet.figures import offline_figures
from tomobatch.fleet.machines import Fleet
from tomobatch.fleet.simulate import Simulation
from tomobatch.fleet.stages import Load, Stage
from tomobatch.fleet.weather import Weather

SCATTERS = ("machine_scatter", "job_scatter")
ONE_TYPE = Fleet(cpu_types=("c6i.xlarge",), gpu_types=("g4dn.xlarge",), spot=False)


class Rng:
    """Draws nothing: no scatter, the first of all choices, and reclaims when it is told to."""

    def __init__(self, lives_s=()):
        self.lives_s = list(lives_s)

    def lognormal(self, _mean, _sigma, size=None):
        return 1.0 if size is None else np.ones(size)

    def exponential(self, _scale):
        return self.lives_s.pop(0) if self.lives_s else 1e9

    def integers(self, _n):
        return 0

    def uniform(self, low, _high, size):
        return np.full(size, low)


def likely(**changed):
    """Return every figure's likely value, some of them changed."""
    return {name: figure.likely for name, figure in offline_figures().items()} | changed


def figures(**changed):
    """Return figures without a range, some of them changed, and without scatter."""
    values = likely(**dict.fromkeys(SCATTERS, 0.0), **changed)
    return {
        name: replace(figure, low=values[name], likely=values[name], high=values[name])
        for name, figure in offline_figures().items()
    }


def stage(step="a", n_jobs=1, compute_s=10.0, queue="cpu", vcpus=4, memory_mib=1000, **more):
    moved = {key: more.pop(key) for key in ("read_mb", "write_mb") if key in more}
    return Stage(step, queue, vcpus, memory_mib, (Load(n_jobs, compute_s, **moved),), **more)


def random_stages(rng, gpu_share=0.0):
    """Return five stages of any size; of so many, slices are computed on GPUs."""
    return [
        stage(
            name,
            n_jobs=int(rng.integers(1, 60)),
            compute_s=float(rng.uniform(1, 90)),
            vcpus=int(rng.integers(1, 5)),
            memory_mib=float(rng.uniform(100, 7000)),
            waited_for=bool(rng.integers(2)),
            queue="gpu" if rng.random() < gpu_share else "cpu",
        )
        for name in "abcde"
    ]


def play(*stages, fleet=ONE_TYPE, lives_s=(), detached=False, **changed):
    """Play a run through on a day whose every figure is the likely one."""
    weather = Weather(likely(**changed), 0.0, Rng(lives_s))
    return Simulation(stages, fleet, weather, detached=detached).play()
