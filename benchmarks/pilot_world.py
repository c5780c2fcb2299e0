"""A world for pilots without AWS: a clock, an S3 that is late, and what really happened.

Listings are late, and replies are lost after the request has done its work. Whatever breaks a
promise raises `Broken`.
"""

import heapq
import itertools
import random
from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace

from snakemake_executor_plugin_aws_batch_array.command_list import ChildOutcomes
from snakemake_executor_plugin_aws_batch_array.pilots.control import Seen

MOST_LATENCY_S = 4.0


class Broken(AssertionError):
    """A promise of the executor did not hold."""


@dataclass(frozen=True)
class Weather:
    """How bad a world is; drawn from its seed."""

    p_death: float
    p_lost: float
    p_busy: float
    listing_lag_s: float
    batch_lag_s: float
    p_failure: float
    most_start_s: float

    @classmethod
    def draw(cls, rng):
        """Draw a weather."""
        bad = rng.random() ** 2
        return cls(
            p_death=0.02 * bad,
            p_lost=0.2 * bad,
            p_busy=0.2 * bad,
            listing_lag_s=rng.choice([0, 0, 5, 60]),
            batch_lag_s=rng.choice([0, 5, 40]),
            p_failure=rng.choice([0, 0, 0.05]),
            most_start_s=rng.choice([60, 200, 1000]),
        )


@dataclass
class World:
    """Clock, S3, and what really happened.

    Attributes
    ----------
    began
        Task to who runs it now.
    reported, done
        Commands whose outcome is on S3, and tasks that succeeded by one.
    closed_s
        Array to the moment after which nothing more may begin.
    """

    rng: random.Random
    weather: Weather
    now: float = 0.0
    n_requests: int = 0
    n_deaths: int = 0
    controls: dict = field(default_factory=dict)
    claims: dict = field(default_factory=dict)
    outcomes: dict = field(default_factory=dict)
    began: dict = field(default_factory=dict)
    runs: Counter = field(default_factory=Counter)
    reported: set = field(default_factory=set)
    done: set = field(default_factory=set)
    closed_s: dict = field(default_factory=dict)
    lists: dict = field(default_factory=dict)
    _heap: list = field(default_factory=list)
    _numbers: object = field(default_factory=itertools.count)
    _claim_times: dict = field(default_factory=lambda: defaultdict(list))
    _outcome_times: dict = field(default_factory=lambda: defaultdict(list))

    def at(self, seconds, call):
        """Do something some seconds from now."""
        heapq.heappush(self._heap, (self.now + seconds, next(self._numbers), call))

    def run_until(self, moment):
        """Let all happen that is due by a moment."""
        while self._heap and self._heap[0][0] <= moment:
            then, _, call = heapq.heappop(self._heap)
            self.now = max(self.now, then)
            call()
        self.now = max(self.now, moment)

    @property
    def is_over(self):
        """Tell whether nothing more happens."""
        return not self._heap

    def next_moment(self):
        """Return when something happens next."""
        return self._heap[0][0]

    def latency(self):
        """Return how long a request takes, tries that were turned away included."""
        seconds = self.rng.uniform(0.02, 0.2)
        self.n_requests += 1
        while self.rng.random() < self.weather.p_busy and seconds < MOST_LATENCY_S / 2:
            self.n_requests += 1
            seconds += self.rng.uniform(0.1, 0.8)
        return seconds

    def write_once_or_more(self, write):
        """Do a conditional write; where the reply is lost it is made again, and may be refused."""
        done = write()
        while self.rng.random() < self.weather.p_lost:
            self.n_requests += 1
            done = write()
        return done

    def put_control(self, pilots, control, over):
        """Write the control object over a version; None if there is another."""
        if (self.controls[pilots][1] if pilots in self.controls else "") != over:
            return None
        tag = f"c{next(self._numbers)}"
        self.controls[pilots] = control, tag, self.now
        if control.closed:
            self.closed_s.setdefault(pilots, self.now)
        return tag

    def see_control(self, pilots, tag):
        """Read the control object, if it is newer than a tag."""
        if pilots not in self.controls:
            return None
        control, newest, written_s = self.controls[pilots]
        return Seen(None if newest == tag else control, newest, self.now - written_s)

    def put_claim(self, name, command, claim, over):
        """Write a claim over another; False if there is a third."""
        known = self.claims.get((name, command))
        if ("" if known is None else known.tag) != over:
            return False
        tag = f"k{next(self._numbers)}"
        self.claims[name, command] = replace(claim, tag=tag)
        self._claim_times[name].append((self.now, command, tag))
        return True

    def list_claims(self, name):
        """List the claims of a list, as they were a while ago."""
        return dict(each[1:] for each in self._listed(self._claim_times[name]))

    def put_outcome(self, name, pilot, outcome):
        """Write an outcome."""
        known = self.outcomes.setdefault((name, pilot), ChildOutcomes(pilot))
        known.by_command[outcome.command] = outcome
        self._outcome_times[name].append((self.now, pilot, str(len(known.by_command))))
        self.reported.add((name, outcome.command))
        if outcome.succeeded:
            self.done.add(self.lists[name].tasks[outcome.command])

    def list_outcomes(self, name):
        """List the outcomes of a list, as they were a while ago."""
        return dict(each[1:] for each in self._listed(self._outcome_times[name]))

    def _listed(self, times):
        shown_s = self.now - self.rng.uniform(0, self.weather.listing_lag_s)
        return times[: bisect_right(times, shown_s, key=lambda each: each[0])]

    def begin(self, name, command, who, pilots):
        """Note that a command begins, which must be neither done nor running."""
        task = self.lists[name].tasks[command]
        if (name, command) in self.reported or task in self.done:
            raise Broken(f"{name} {command} is done and begins again by {who}")
        if task in self.began:
            raise Broken(f"{name} {command} runs by {self.began[task]} and by {who}")
        if self.now > self.closed_s.get(pilots, float("inf")) + 2 * MOST_LATENCY_S:
            raise Broken(f"{name} {command} begins {self.now - self.closed_s[pilots]} s too late")
        self.began[task] = who
        self.runs[name, command] += 1

    def end(self, name, command):
        """Note that a command does not run any more."""
        del self.began[self.lists[name].tasks[command]]
