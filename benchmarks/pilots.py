"""Pilots under fire: 10,000 seeded runs in a made-up world (``pilot_world``), every promise held.

A run is a few steps of commands, one after the other, by one to a dozen pilots, while replies are
lost, listings late, machines reclaimed, and the controller killed, or started twice. Held:

- every command ends done, or failed by a verdict that Snakemake hears;
- none that is reported done begins again, and none runs twice at once;
- nothing begins after closing, and all pilots end;
- requests stay below `MOST_A_COMMAND` a command, `MOST_A_MINUTE` a pilot and minute, and two a
  pilot for every death.

``python benchmarks/pilots.py [RUNS]``: 10,000 by default, about eight minutes on one core.
"""

import json
import random
import sys
from pathlib import Path
from statistics import median

from benchmarks.pilot_controllers import Controller, Plan
from benchmarks.pilot_world import Broken, Weather, World

from snakemake_executor_plugin_aws_batch_array.pilots.control import PATIENCE_S

RESULTS = Path(__file__).parent / "results" / "pilots.json"
MOST_A_COMMAND, MOST_A_MINUTE = 14, 90
_LONGEST_S = 8 * 3600


def simulate(seed):
    """Make one run and hold its promises; return its figures."""
    rng = random.Random(seed)  # noqa: S311 - to be made again
    weather = Weather.draw(rng)
    world = World(rng, weather)
    n_pilots = rng.choice([1, 2, 3, 5, 8])
    steps = [[f"{s}.{i}" for i in range(rng.choice([1, 1, 5, 20]))] for s in range(3)]
    most_s = rng.choice([2, 20, 200])
    seconds = {task: rng.uniform(1, most_s) for step in steps for task in step}
    plan, arrays = Plan(steps, seconds), {}
    if rng.random() < 0.1:
        plan.interrupt_s = rng.uniform(0, 2000)
    n_lives = rng.choice([1, 1, 2, 4, 8])
    controllers = []
    while True:
        p_kill = 0.02 * rng.random() ** 3 if len(controllers) < n_lives - 1 else 0.0
        current = Controller(world, plan, arrays, len(controllers), n_pilots, p_kill)
        controllers.append(current)
        world.at(0, current.live)
        second_s = rng.uniform(10, 500) if p_kill and rng.random() < 0.5 else float("inf")
        began_s = world.now
        while not current.is_over and world.now < began_s + second_s:
            if world.now > _LONGEST_S or world.is_over:
                raise Broken(f"no end by {world.now} s: {plan.ready()[:3]}")
            world.run_until(world.next_moment())
        if current.is_over and plan.is_over:
            break
        if current.is_over:
            # Sometimes longer than pilots wait.
            world.run_until(world.now + rng.choice([5, 5, 100, 100, 2 * PATIENCE_S]))
    ended_s = world.now
    while not world.is_over and world.now < ended_s + _LONGEST_S:
        world.run_until(world.next_moment())
    return _held(world, plan, arrays, controllers, n_pilots)


def _held(world, plan, arrays, controllers, n_pilots):
    """Hold the promises that only the end can tell."""
    alive = [
        (name, each.index) for name, of in arrays.items() for each in of if not each.status.is_final
    ]
    if alive:
        raise Broken(f"pilots that never end: {alive}")
    if not plan.is_over:
        raise Broken(f"commands that were lost: {plan.ready()}")
    reported = {world.lists[name].tasks[index] for name, index in world.reported}
    if not plan.done <= reported:
        raise Broken("done without an outcome")
    n_commands = sum(len(one.tasks) for one in world.lists.values())
    minutes = world.now / 60
    bound = MOST_A_COMMAND * n_commands + n_pilots * (MOST_A_MINUTE * minutes + 2 * world.n_deaths)
    if world.n_requests > bound:
        raise Broken(f"{world.n_requests} requests, {bound:.0f} at most")
    return {
        "commands": n_commands,
        "requests": world.n_requests,
        "deaths": world.n_deaths,
        "controllers": len(controllers),
        "arrays": len(arrays),
        "minutes": minutes,
        "again": sum(world.runs.values()) - len(world.reported),
        "failed": bool(plan.failed),
        "interrupted": plan.interrupted,
    }


def main(n_runs):
    """Make runs, one after the other, and return their figures."""
    found = []
    for seed in range(n_runs):
        try:
            found.append(simulate(seed))
        except Exception as error:
            raise Broken(f"seed {seed}: {error!r}") from error
    totals = {key: sum(each[key] for each in found) for key in found[0]}
    middle = {
        key: median(each[key] for each in found)
        for key in found[0]
        if key not in ("failed", "interrupted")
    }
    report = {"runs": n_runs, "totals": totals, "median": middle}
    print(json.dumps(report, indent=1))
    return report


if __name__ == "__main__":
    asked = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    RESULTS.write_text(json.dumps(main(asked), indent=1) + "\n")
