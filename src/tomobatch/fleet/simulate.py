"""A run, played through event by event: boot, decide, place, pull, work, linger, reclaim.

A stage is submitted when the one before has ended. Its children go to machines that are there, or
wait: AWS Batch then decides once for all that wait, EC2 starts machines, which boot, fetch the
image, work, and after their last child linger until they are ended. A spot machine may be taken
back at any time; its children then go elsewhere, without what they had finished. Pilots
(``fleet.pilots``) are children that outlive their stage.
"""

import heapq
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from snakemake_executor_plugin_aws_batch_array.pilot_dispatch import GIVE_WAY_S
from tomobatch.errors import UserError
from tomobatch.fleet.bill import Hire
from tomobatch.fleet.machines import Fleet, has_gpu
from tomobatch.fleet.pilots import Crew, Crews, Pilot
from tomobatch.fleet.pool import Child, Machine, Pool, deal_out
from tomobatch.fleet.stages import Stage
from tomobatch.fleet.weather import Weather
from tomobatch.steps import Queue

_HEAD = -1
"""Stands where the number of a stage stands, for the job that runs Snakemake."""
_HEAD_VCPUS, _HEAD_MEMORY_MIB = 1, 3500.0


class NoMachineFits(UserError):
    """A child wants more than any machine of its queue has."""


@dataclass(frozen=True)
class Played:
    """What came of one run.

    Attributes
    ----------
    elapsed_s
        From its start to the end of its last job.
    hires
        Its machines.
    spans_s
        When each stage was submitted, and when its last child ended.
    n_reclaimed
        Machines that were taken back under a child.
    puts, gets
        Requests to S3 of pilots, beside those of their jobs.
    """

    elapsed_s: float
    hires: tuple[Hire, ...]
    spans_s: tuple[tuple[float, float], ...]
    n_reclaimed: int
    puts: float = 0.0
    gets: float = 0.0


class Simulation:
    """One run in the making.

    Parameters
    ----------
    stages
        What there is to do.
    fleet
        The machines.
    weather
        What the day is like.
    detached
        Whether Snakemake runs as a job of the CPU queue.
    """

    def __init__(
        self, stages: Sequence[Stage], fleet: Fleet, weather: Weather, *, detached: bool = False
    ) -> None:
        self.stages, self.fleet, self.weather = stages, fleet, weather
        self.detached = detached
        self.speed = weather["task_speed" if fleet.tasks else "speed"]
        self.now_s = 0.0
        self.n_reclaimed = 0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._pools: dict[Queue, Pool] = {
            queue: Pool(queue, fleet, weather.rng) for queue in ("cpu", "gpu")
        }
        self._open = [stage.n_children(fleet.most_children) for stage in stages]
        self._spans_s = [(0.0, 0.0)] * len(stages)
        # The job that runs Snakemake has a machine, whatever the others have.
        on_machines = Pool("cpu", replace(fleet, tasks=False), weather.rng)
        self._head_pool = on_machines if fleet.tasks else self._pools["cpu"]
        self._crews = Crews(self, stages, fleet.pilots, fleet.tasks)
        self._head: Child | None = None
        self._begun = False

    def play(self) -> Played:
        """Play the run through.

        Raises
        ------
        NoMachineFits
            If a child fits on no machine.
        """
        if self.detached:
            self._head = Child(_HEAD, _HEAD_VCPUS, _HEAD_MEMORY_MIB, 0.0, np.array([np.inf]))
            self.after(
                self.weather["accept_s"], partial(self._admit, self._head_pool, [self._head])
            )
        else:
            self.after(self.weather["controller_s"], partial(self._submit, 0))
        while self._events:
            self.now_s, _, happen = heapq.heappop(self._events)
            happen()
        pools = {id(pool): pool for pool in (*self._pools.values(), self._head_pool)}.values()
        waiting = [child for pool in pools for child in pool.waiting]
        if waiting:
            raise NoMachineFits(
                f"no machine has {waiting[0].vcpus} vCPUs and {waiting[0].memory_mib:.0f} MiB"
            )
        machines = [machine for pool in pools for machine in pool.machines]
        return Played(
            elapsed_s=max(end_s for _, end_s in self._spans_s),
            hires=tuple(machine.hire() for machine in machines),
            spans_s=tuple(self._spans_s),
            n_reclaimed=self.n_reclaimed,
            puts=sum(crew.puts for crew in self._crews.all),
            gets=sum(crew.gets for crew in self._crews.all),
        )

    def after(self, seconds: float, happen: Callable[[], None]) -> None:
        """Let something happen later."""
        heapq.heappush(self._events, (self.now_s + seconds, next(self._numbers), happen))

    # --- stages ---------------------------------------------------------------------------

    def _submit(self, number: int) -> None:
        """Submit a stage, and those beside it that nothing waits for."""
        while number < len(self.stages):
            stage = self.stages[number]
            self._spans_s[number] = (self.now_s, self.now_s)
            self._hand_over(number)
            if stage.waited_for:
                return
            number += 1

    def _hand_over(self, number: int) -> None:
        """Give the jobs of a stage to pilots, or to an array of its own."""
        stage = self.stages[number]
        seconds = self.weather.seconds_of(stage, self.speed)
        crew = self._crews.find(number)
        if crew is None:
            n_children = stage.n_children(self.fleet.most_children)
            start_s = stage.start_s / self.speed
            children: Sequence[Child] = deal_out(number, stage, seconds, n_children, start_s)
        else:
            children = crew.pilots if crew.is_new else ()
            self._open[number] = crew.offer(number, seconds)
        self.after(
            self.weather["accept_s"], partial(self._admit, self._pools[stage.queue], children)
        )
        self.after(GIVE_WAY_S, partial(self._give_way, stage.queue, children))

    def _give_way(self, queue: Queue, children: Sequence[Child]) -> None:
        """Let pilots without work end where children of something else wait for machines."""
        waiting = self._pools[queue].waiting
        if any(child in waiting for child in children):
            for crew in list(self._crews.open(queue)):
                if crew.is_idle:
                    self._close(crew)

    def _close(self, crew: Crew) -> None:
        """Let pilots end; those that wait for a machine never start."""
        crew.close()
        pool = self._pools["gpu" if crew.kind.gpus else "cpu"]
        pool.waiting = [child for child in pool.waiting if child not in crew.pilots]

    def end_job(self, number: int) -> None:
        """Count a job, or a child that carried several out, as done."""
        self._open[number] -= 1
        if not self._open[number]:
            self._end_stage(number)

    def _end_stage(self, number: int) -> None:
        start_s, _ = self._spans_s[number]
        self._spans_s[number] = (start_s, self.now_s)
        if self.stages[number].waited_for:
            self.after(self.weather["notice_s"], partial(self._submit, number + 1))
        if not any(self._open):
            self.after(self.weather["notice_s"], self._dismiss)
            if self._head is not None:
                for machine in self._head_pool.living:
                    if self._head in machine.children:
                        self.leave(machine, self._head)

    def _dismiss(self) -> None:
        """Let all pilots end."""
        for crew in self._crews.all:
            if not crew.is_closed:
                self._close(crew)

    # --- children and machines ------------------------------------------------------------

    def _admit(self, pool: Pool, children: Sequence[Child]) -> None:
        """Place what is runnable on machines that are there; let the rest wait for new ones.

        What waited before, because its queue could not have more machines, is looked at again.
        """
        for child in (each for each in children if each.is_wanted):
            machine = pool.find(child)
            if machine is None:
                pool.waiting.append(child)
            else:
                self._place(machine, child, self.weather.near("warm_s"))
        if pool.waiting and not pool.is_deciding:
            pool.is_deciding = True
            decide_s = 0.0 if pool.fleet.tasks else self.weather["decide_s"]
            self.after(decide_s, partial(self._decide, pool))

    def _decide(self, pool: Pool) -> None:
        """Ask for all machines that are missing, at once."""
        pool.is_deciding = False
        for instance_type in pool.choose_types(pool.missing()):
            if pool.fleet.tasks:
                begin, boot = "task_start_s", ["task_pull_s"]
            else:
                begin, boot = "pending_s", ["boot_s", "place_s", "pull_s"]
            begin_s = self.weather.near(begin)
            boot += ["gpu_boot_s"] if has_gpu(instance_type) else []
            ready_s = begin_s + self.weather.near(*boot)
            machine = Machine(
                instance_type, self.fleet.market, self.now_s + begin_s, self.now_s + ready_s
            )
            pool.machines.append(machine)
            self.after(ready_s, partial(self._ready, pool, machine))
            if self.fleet.spot:
                lives_s = self.weather.rng.exponential(3600 / self.weather["hazard_h"])
                self.after(begin_s + lives_s, partial(self._reclaim, pool, machine))

    def _ready(self, pool: Pool, machine: Machine) -> None:
        """Take a new machine into use."""
        if machine.lives:
            machine.is_ready = True
            self._fill(pool, machine, 0.0)

    def _fill(self, pool: Pool, machine: Machine, wait_s: float) -> None:
        """Give a machine what it has room for; else it idles, and ends if nothing comes."""
        while pool.waiting and machine.fits(pool.waiting[0]):
            self._place(machine, pool.waiting.pop(0), wait_s)
        if not machine.children:
            machine.idle_since_s = self.now_s
            end = partial(self._end, pool, machine, self.now_s)
            self.after(0.0 if machine.is_task else self.weather.near("linger_s"), end)

    def _place(self, machine: Machine, child: Child, wait_s: float) -> None:
        machine.take(child)
        machine.idle_since_s = None
        child.began_s = self.now_s + wait_s
        machine.first_s = min(machine.first_s, child.began_s)
        if isinstance(child, Pilot):
            self.after(wait_s, partial(child.crew.join, child, machine))
        elif child is not self._head:
            finish = partial(self._finish, machine, child, child.began_s)
            self.after(wait_s + child.takes_s, finish)
        elif not self._begun:
            self._begun = True
            self.after(wait_s + self.weather["controller_s"], partial(self._submit, 0))

    def _finish(self, machine: Machine, child: Child, began_s: float) -> None:
        if not machine.lives or child.began_s != began_s:
            return  # the machine was taken back before
        self.leave(machine, child)
        self.end_job(child.stage)

    def leave(self, machine: Machine, child: Child) -> None:
        """Let a child end, and give its machine to another."""
        machine.release(child, self.now_s)
        queue: Queue = "gpu" if has_gpu(machine.instance_type) else "cpu"
        pool = self._head_pool if child is self._head else self._pools[queue]
        self._fill(pool, machine, self.weather.near("warm_s"))

    def _end(self, pool: Pool, machine: Machine, idle_since_s: float) -> None:
        if machine.lives and machine.idle_since_s == idle_since_s:
            machine.end_s = self.now_s
            self._admit(pool, ())

    def _reclaim(self, pool: Pool, machine: Machine) -> None:
        """Take a machine back; what its children had not finished goes elsewhere."""
        if not machine.lives:
            return
        machine.end_s = self.now_s
        self.n_reclaimed += bool(machine.children)
        children = list(machine.children)
        for child in children:
            machine.release(child, self.now_s)
            child.cut_off(max(0.0, self.now_s - child.began_s))
        self.after(self.weather["accept_s"], partial(self._admit, pool, children))
