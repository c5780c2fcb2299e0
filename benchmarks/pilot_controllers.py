"""Controllers of the made-up world, of the executor's own parts; each call may be their last."""

from collections import Counter
from dataclasses import dataclass, field

from benchmarks.pilot_machines import SimPilot
from benchmarks.pilot_world import World

from snakemake_executor_plugin_aws_batch_array.command_list import (
    ChildOutcomes,
    Command,
    CommandList,
)
from snakemake_executor_plugin_aws_batch_array.pilots.control import Control, Kind, Offer
from snakemake_executor_plugin_aws_batch_array.pilots.crew import Crew, TakenOverError
from snakemake_executor_plugin_aws_batch_array.pilots.watch import PilotWatcher
from snakemake_executor_plugin_aws_batch_array.status import JobDetail, Status
from snakemake_executor_plugin_aws_batch_array.watched import Watched

_KIND = Kind("cpu", "d:1", 2, 1000, 0)
_RETRIES = 3


class Killed(Exception):
    """The controller is no more."""


@dataclass(frozen=True)
class SimList:
    """A list, how long its commands take, and what they are of the workflow."""

    commands: CommandList
    seconds: tuple
    tasks: tuple


@dataclass
class Plan:
    """Steps of tasks, and what Snakemake knows of them by what is on its disk and on S3."""

    steps: list
    seconds: dict
    done: set = field(default_factory=set)
    tries: Counter = field(default_factory=Counter)
    interrupt_s: float = float("inf")
    interrupted: bool = False

    @property
    def is_over(self):
        """Tell whether there is nothing more to do."""
        return bool(self.interrupted or self.failed or not self.ready())

    @property
    def failed(self):
        """Return the tasks that Snakemake gives up."""
        return {task for task, n in self.tries.items() if n > _RETRIES and task not in self.done}

    def ready(self):
        """Return what may run now: of the first step that is not done."""
        for step in self.steps:
            left = [task for task in step if task not in self.done]
            if left:
                return left
        return []


@dataclass
class Surroundings:
    """What a controller calls: each call takes time, and may be its last."""

    world: World
    arrays: dict
    p_kill: float

    def call(self, work):
        """Do a piece of work on AWS; its reply may not be lived to."""
        world = self.world
        kill_first = world.rng.random() < self.p_kill
        world.run_until(world.now + world.latency())
        if kill_first:
            raise Killed
        reply = work()
        if world.rng.random() < self.p_kill:
            raise Killed
        return reply

    def look(self, pilots, tag=""):
        """Read the control object."""
        return self.call(lambda: self.world.see_control(pilots, tag))

    def write(self, pilots, control, over):
        """Write the control object; a lost reply makes it be written again."""
        put = self.world.put_control
        return self.call(lambda: self.world.write_once_or_more(lambda: put(pilots, control, over)))

    def take_claim(self, name, command, claim, over):
        """Claim a command."""
        return self.call(lambda: self.world.put_claim(name, command, claim, over))

    def read_claim(self, name, command):
        """Read a claim."""
        return self.call(lambda: self.world.claims.get((name, command)))

    def claim_tags(self, name):
        """List claims, late."""
        return self.call(lambda: self.world.list_claims(name))

    def get_outcomes(self, name, child):
        """Read a pilot's outcomes."""

        def read():
            known = self.world.outcomes.get((name, child), ChildOutcomes(child))
            return ChildOutcomes(child, dict(known.by_command))

        return self.call(read)

    def outcome_tags(self, name):
        """List outcomes, late."""
        return self.call(lambda: self.world.list_outcomes(name))

    def describe(self, ids):
        """Ask Batch, which tells late."""

        def read():
            found = {}
            for job_id in ids:
                array, _, index = job_id.partition(":")
                pilots = self.arrays[array]
                found[job_id] = pilots[int(index)].detail(job_id) if index else _of(array, pilots)
            return found

        return self.call(read)

    def terminate(self, job_id, reason):
        """End a pilot, or all of an array."""
        array, _, index = job_id.partition(":")
        pilots = self.arrays[array]
        self.call(
            lambda: [each.terminate() for each in ([pilots[int(index)]] if index else pilots)]
        )


def _of(array, pilots):
    counts = Counter(each.told[1] for each in pilots)
    is_over = all(each.told[1].is_final for each in pilots)
    status = Status.PENDING
    if is_over:
        status = Status.FAILED if counts[Status.FAILED] else Status.SUCCEEDED
    return JobDetail(array, array, status, children=dict(counts))


@dataclass
class Controller:
    """What the executor and Snakemake do, by the executor's own parts."""

    world: World
    plan: Plan
    arrays: dict
    number: int
    n_pilots: int
    p_kill: float
    open_lists: dict = field(default_factory=dict)
    crew: Crew | None = None
    is_over: bool = False

    def __post_init__(self):
        self.aws = Surroundings(self.world, self.arrays, self.p_kill)
        self.watcher = PilotWatcher(self.aws, self.aws, self, lambda *_: "", "")
        self.claim_tags, self.read_claim = self.aws.claim_tags, self.aws.read_claim

    def free(self, name, freed):
        """Let pilots begin commands anew."""
        self.crew.free(name, freed)

    def live(self):
        """Start, and poll until all is done; or be killed, or taken over."""
        try:
            if self.crew is None:
                self._take_over()
            self._poll()
        except (Killed, TakenOverError):
            self.is_over = True
        if not self.is_over:
            self.world.at(self.world.rng.uniform(1, 10), self.live)

    def _take_over(self):
        """Take up what an earlier controller left: what is done, and pilots that live."""
        for array in reversed(self.arrays):
            seen = self.aws.look(array)
            if seen.control.closed or self.aws.describe([array])[array].status.is_final:
                self._learn(array, self._lists_of(array))
            elif self.crew is None:
                self._adopt(array, seen)

    def _lists_of(self, array):
        lists = self.world.lists.items()
        lists = {name: one for name, one in lists if one.commands.pilots == array}
        return {name: one for name, one in lists.items() if set(one.tasks) - self.plan.done}

    def _learn(self, array, lists):
        for name, one in lists.items():
            for pilot in range(len(self.arrays[array])):
                outcomes = self.aws.get_outcomes(name, pilot).by_command
                self.plan.done |= {one.tasks[i] for i in outcomes if outcomes[i].succeeded}

    def _adopt(self, array, seen):
        crew = Crew(self.aws, array, len(self.arrays[array]), seen.control, seen.tag, array)
        crew.take_over(f"controller {self.number}")
        self.crew = crew
        # Only now: until then the other controller may have offered more.
        lists = self._lists_of(array)
        offered = {offer.name for offer in crew.control.offers}
        for name in offered - lists.keys():
            crew.done(name)
        # What was never offered, its controller came too late with.
        self._learn(array, {name: one for name, one in lists.items() if name not in offered})
        for name in sorted(offered & lists.keys()):
            self.open_lists[name] = item = Watched(lists[name].commands, array)
            tasks = enumerate(lists[name].tasks)
            item.undecided -= {i for i, task in tasks if task in self.plan.done}

    def _poll(self):
        if self.crew is not None:
            self.crew.beat(self.world.now)
            detail = self.aws.describe([self.crew.name])[self.crew.name]
            for name, item in list(self.open_lists.items()):
                for index, verdict in self.watcher.look_at(item, detail, self.world.now).items():
                    item.undecided.discard(index)
                    task = self.world.lists[name].tasks[index]
                    if verdict.succeeded:
                        self.plan.done.add(task)
                    elif task not in self.plan.done:
                        self.plan.tries[task] += 1
                if not item.undecided:
                    del self.open_lists[name]
                    self.crew.done(name)
            if detail.status.is_final and not self.open_lists:
                self.crew = None
        self.plan.interrupted = self.world.now > self.plan.interrupt_s
        if self.plan.is_over:
            self._close()
            return
        under_way = {
            self.world.lists[name].tasks[index]
            for name, item in self.open_lists.items()
            for index in item.undecided
        }
        ready = [task for task in self.plan.ready() if task not in under_way]
        if ready:
            self._submit(ready)

    def _submit(self, tasks):
        if self.crew is None:
            name = f"array{len(self.arrays)}.{self.number}"
            crew = Crew(self.aws, name, self.n_pilots, Control("", _KIND), job_id=name)
            crew.control = Control(f"controller {self.number}", _KIND)
            crew.open()
            self._start_pilots(name)
            self.crew = crew
        name = f"list{len(self.world.lists)}"
        rows = tuple(Command((task,), (), task) for task in tasks)
        commands = CommandList(
            name,
            "run",
            "a",
            "cpu",
            0,
            self.crew.n_pilots,
            2,
            None,
            {},
            {},
            "",
            (),
            rows,
            pilots=self.crew.name,
        )
        seconds = tuple(self.plan.seconds[task] for task in tasks)
        self.world.lists[name] = SimList(commands, seconds, tuple(tasks))
        self.open_lists[name] = Watched(commands, self.crew.name)
        self.crew.offer(Offer(name, "", len(tasks)))

    def _start_pilots(self, name):
        world = self.world
        pilots = [
            SimPilot(world, name, i, self.n_pilots, 10, world.rng.choice([1, 1, 1, 4]))
            for i in range(self.n_pilots)
        ]
        self.arrays[name] = pilots
        for pilot in pilots:
            world.at(world.rng.uniform(20, world.weather.most_start_s), pilot.start)

    def _close(self):
        """Close, end what has not started, and what Snakemake does not wait for any more."""
        if self.crew is not None:
            self.crew.close()
            for pilot in self.arrays[self.crew.name]:
                if self.plan.ready() or pilot.status is not Status.RUNNING:
                    self.aws.terminate(f"{self.crew.name}:{pilot.index}", "closed")
        self.is_over = True
