"""Pilots of the made-up world: the very generator that the worker runs, on machines that go.

Machines go with and without a word, at any moment, and Batch tells of it later.
"""

from dataclasses import dataclass

from benchmarks.pilot_world import MOST_LATENCY_S, Broken, World

from snakemake_executor_plugin_aws_batch_array.command_list import ChildOutcomes, Outcome
from snakemake_executor_plugin_aws_batch_array.pilots import flight
from snakemake_executor_plugin_aws_batch_array.pilots.control import Claim
from snakemake_executor_plugin_aws_batch_array.status import Attempt, JobDetail, Status


@dataclass
class SimPilot:
    """One child of an array: attempts of the generator, until one ends by itself."""

    world: World
    array: str
    index: int
    n_pilots: int
    most_attempts: int
    slowness: float
    attempt: int = 0
    n_ended: int = 0
    status: Status = Status.RUNNABLE
    told: tuple = (0, Status.RUNNABLE)
    is_terminated: bool = False
    _asks: object = None
    _life: object = None
    _running: tuple | None = None
    _worked_s: float = 0.0

    def start(self):
        """Begin the next attempt."""
        if self.status.is_final:
            return
        self.attempt += 1
        self.status = Status.RUNNING
        self._life, self._worked_s = object(), self.world.now
        self._asks = flight.fly(self.index, self.n_pilots, self.attempt)
        self._tell()
        self._step(None)

    def terminate(self):
        """End it by TerminateJob: within the grace of a container."""
        self.is_terminated = True
        if self.status is Status.RUNNING:
            life = self._life
            self.world.at(self.world.rng.uniform(0, 30), lambda: self._die(life))
        elif not self.status.is_final:
            self._finish(Status.FAILED)

    def _step(self, reply):
        rng, world = self.world.rng, self.world
        try:
            ask = self._asks.send(reply)
        except StopIteration as end:
            self.n_ended += 1
            self._must_be_soon()
            if end.value is flight.Ending.STOPPED:
                self._retry()
            else:
                self._finish(Status.SUCCEEDED)
            return
        life = self._life
        seconds = self._answer(ask, life)
        # Most of a machine's time is work.
        weight = {flight.Run: 10, flight.Rest: 0.01, flight.Look: 0.1}.get(type(ask), 1)
        if rng.random() < world.weather.p_death * weight:
            world.at(seconds * rng.random(), lambda: self._die(life))

    def _answer(self, ask, life):
        """Let an ask have its effect and its reply later; return when that is."""
        world = self.world
        if isinstance(ask, flight.Rest):
            world.at(ask.seconds, lambda: self._go_on(life, True))
            return ask.seconds
        if isinstance(ask, flight.Run):
            return self._run(ask, life)
        done_s, back_s = world.latency() * self.slowness, 0.05
        world.at(done_s, lambda: self._effect(ask, life, back_s))
        return done_s + back_s

    def _effect(self, ask, life, back_s):
        if life is not self._life:
            return
        world, reply = self.world, None
        if isinstance(ask, flight.Look):
            reply = world.see_control(self.array, ask.tag)
        elif isinstance(ask, flight.Recall):
            known = world.outcomes.get((ask.name, self.index), ChildOutcomes(self.index))
            reply = frozenset(known.by_command)
        elif isinstance(ask, flight.ListClaims):
            reply = frozenset(world.list_claims(ask.name))
        elif isinstance(ask, flight.ReadClaim):
            reply = world.claims.get((ask.name, ask.command))
        elif isinstance(ask, flight.TakeClaim):
            mine = Claim(self.index, self.attempt)
            reply = world.write_once_or_more(
                lambda: world.put_claim(ask.name, ask.command, mine, ask.over)
            )
        world.at(back_s, lambda: self._go_on(life, reply))

    def _run(self, ask, life):
        world, name = self.world, ask.offer.name
        work_s = world.lists[name].seconds[ask.command] * self.slowness
        write_s = world.latency()
        world.begin(name, ask.command, (self.index, self.attempt), self.array)
        self._running = name, ask.command
        exit_code = int(world.rng.random() < world.weather.p_failure)

        def ended():
            if life is self._life:
                world.end(name, ask.command)
                self._running = None

        def written():
            if life is self._life:
                outcome = Outcome(ask.command, exit_code, "", self.attempt, 0, 0, 0)
                world.put_outcome(name, self.index, outcome)
                self._worked_s = world.now
                world.at(0.05, lambda: self._go_on(life, True))

        world.at(work_s, ended)
        world.at(work_s + write_s, written)
        return work_s + write_s + 0.05

    def _must_be_soon(self):
        """Hold that a pilot ends within seconds of closing, or of its last command after that."""
        closed_s = self.world.closed_s.get(self.array, self.world.now)
        late_s = self.world.now - max(closed_s, self._worked_s)
        if late_s > flight.MOST_REST_S + 2 * MOST_LATENCY_S * self.slowness:
            raise Broken(f"pilot {self.index} of {self.array} ends {late_s} s after closing")

    def _go_on(self, life, reply):
        if life is self._life:
            self._step(reply)

    def _die(self, life):
        if life is not self._life or self.status.is_final:
            return
        self.world.n_deaths += 1
        if self._running is not None:
            self.world.end(*self._running)
            self._running = None
        self.n_ended += 1
        self._retry()

    def _retry(self):
        self._life = None
        if self.n_ended >= self.most_attempts or self.is_terminated:
            self._finish(Status.FAILED)
            return
        self.status = Status.RUNNABLE
        self._tell()
        self.world.at(self.world.rng.uniform(5, 200), self.start)

    def _finish(self, status):
        self._life, self.status = None, status
        self._tell()

    def _tell(self):
        """Let Batch tell of it, later."""
        told = self.n_ended, self.status
        lag_s = self.world.rng.uniform(0, self.world.weather.batch_lag_s)

        def show():
            if (told[0], told[1].is_final) >= (self.told[0], self.told[1].is_final):
                self.told = told

        self.world.at(lag_s, show)

    def detail(self, job_id):
        """Return what DescribeJobs says of it."""
        n_ended, status = self.told
        attempts = tuple(Attempt() for _ in range(n_ended))
        return JobDetail(job_id, self.array, status, "", attempts, n_ended=n_ended)
