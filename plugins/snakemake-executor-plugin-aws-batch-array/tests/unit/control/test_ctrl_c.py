"""Ctrl-C at every moment of taking jobs up and submitting them: what runs on is named."""

import concurrent.futures.thread
import inspect
import linecache
import signal
import sys
import threading
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from snakemake_executor_plugin_aws_batch_array import executor as executor_module
from snakemake_executor_plugin_aws_batch_array.command_list import Command
from snakemake_executor_plugin_aws_batch_array.dispatch import Dispatcher
from snakemake_executor_plugin_aws_batch_array.executor import Executor
from snakemake_executor_plugin_aws_batch_array.left import Demand
from snakemake_executor_plugin_aws_batch_array.preparing import ReadyJob
from snakemake_executor_plugin_aws_batch_array.resources import read_resources
from snakemake_executor_plugin_aws_batch_array.status import Status
from snakemake_executor_plugin_aws_batch_array.watch import Watcher

OURS = str(Path(executor_module.__file__).parent)
POOL = concurrent.futures.thread.__file__
"""Of the standard library, what starts a call in another thread."""
CALLS = ("submit", "describe", "children", "find_all", "find_new", "terminate")
KEPT, CHANGED, REPLACED = 4, 4, 2
"""Commands that an earlier controller left: all wanted as they are, one of them not, none."""


@dataclass
class World:
    """An executor whose predecessor was killed, and the AWS Batch that both talk to."""

    executor: Executor
    batch: object
    jobs: list

    def run(self):
        """Take up, end and submit, as Snakemake has it done."""
        self.executor.run_jobs(self.jobs)

    def end(self):
        """Do what Snakemake does at Ctrl-C, and return what runs on and was not named."""
        self.executor.cancel_jobs([])
        said = " ".join(text for _, text in self.executor.logger.lines)
        return [name for name in self.batch.live() if name not in said]


@pytest.fixture
def new_world(monkeypatch, batch, store, run, parcel, executor, new_job, no_pilots, as_told):
    """Make a world anew."""
    rules = {"kept": KEPT, "changed": CHANGED, "replaced": REPLACED, "array": 3, "plain": 1}
    commands = {
        rule: [Command((f"{rule}:i={i}",), (), "as it was", (f"{rule}{i}",)) for i in range(n)]
        for rule, n in rules.items()
    }
    wanted = frozenset(each.outputs[0] for of_rule in commands.values() for each in of_rule)
    monkeypatch.setattr(executor_module, "wanted_files", lambda workflow: wanted)
    monkeypatch.setattr(
        executor_module, "find_demands", lambda workflow, jobs: [Demand() for _ in jobs]
    )

    def make():
        fake_batch, fake_store = EndingBatch(), type(store)()
        watcher = Watcher(fake_batch, fake_store, lambda *_: "", "", 100, lambda _: None, None)
        first, second = (
            Dispatcher(
                fake_batch, fake_store, watcher, no_pilots(fake_batch, fake_store), lambda _: None
            )
            for _ in range(2)
        )
        for rule in ("kept", "changed", "replaced"):
            first.submit(
                run, replace(parcel, rule=rule, commands=tuple(commands[rule]), n_children=2)
            )
            fake_batch.set(
                f"job{len(fake_batch.submissions)}", Status.PENDING, children=[Status.RUNNING] * 2
            )
        asked = {
            **commands,
            "changed": [replace(commands["changed"][0], identity="new"), *commands["changed"][1:]],
            "replaced": [replace(each, identity="new") for each in commands["replaced"]],
        }
        resources = read_resources({"mem_mb": 100}, None)
        ready = {
            new_job(): (rule, command) for rule, of_rule in asked.items() for command in of_rule
        }
        executor._preparation = as_told(
            lambda job: ReadyJob(job, ready[job][0], "cpu", resources, ready[job][1]), run
        )
        executor._definitions = SimpleNamespace(for_job=lambda *_: "definition:1")
        executor._dispatcher = second
        executor._taken_up, executor._again, executor.logger.lines = {}, {}, []
        executor.report_job_submission = lambda info: None
        return World(executor, fake_batch, list(ready))

    class EndingBatch(type(batch)):
        """Ends jobs when it is told to, and can be waited for."""

        def terminate(self, job_id, reason):
            super().terminate(job_id, reason)
            parent = job_id.partition(":")[0]
            for each in self.details:
                if each == job_id or each.startswith(f"{job_id}:"):
                    self.details[each] = replace(self.details[each], status=Status.FAILED)
            children = [d for each, d in self.details.items() if each.startswith(f"{parent}:")]
            if children and all(each.status.is_final for each in children):
                self.details[parent] = replace(self.details[parent], status=Status.FAILED)

        def live(self):
            return [
                each.name
                for job_id, each in self.details.items()
                if ":" not in job_id and not each.status.is_final
            ]

    return make


def interrupted_at(step, call):
    """Call something and have Ctrl-C come at one of its steps; return where they all were.

    A step is a line of ours, or of what starts a call in another thread, and the return from each
    function. Python takes no signal between the last call in a `with` and the end of that.
    """
    steps = []

    def trace(frame, event, _):
        file = frame.f_code.co_filename
        if file != POOL and not file.startswith(OURS):
            return None
        if _may_be_interrupted(frame, event):
            steps.append((file, frame.f_lineno, event))
            if len(steps) - 1 == step:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return steps


def _may_be_interrupted(frame, event):
    if event == "return":
        # That of a generator is also its end by whoever drops it.
        return not frame.f_code.co_flags & inspect.CO_GENERATOR
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    return event == "line" and not line.startswith("with ")


def test_what_is_not_interrupted_takes_up_ends_and_submits(new_world):
    """Else there would be nothing to interrupt."""
    world = new_world()
    world.run()
    rules = Counter(submission.tags["snakemake-rule"] for submission in world.batch.submissions)
    assert rules == {"kept": 1, "changed": 2, "replaced": 2, "array": 1, "plain": 1}
    assert world.executor.failed == []
    assert len(world.batch.live()) == 6
    assert world.end() == []
    assert world.batch.live() == []


def test_ctrl_c_at_any_line_leaves_nothing_unnamed(new_world):
    """The first and the last time that the line is come by."""
    steps = interrupted_at(None, new_world().run)
    last = {where: step for step, where in enumerate(steps)}
    first = {where: step for step, where in reversed([*enumerate(steps)])}
    assert len(last) > 300
    for step in sorted({*first.values(), *last.values()}):
        world = new_world()
        try:
            interrupted_at(step, world.run)
        except KeyboardInterrupt:
            assert world.end() == [], steps[step]
            assert world.batch.live() == [], steps[step]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_ctrl_c_at_any_call_leaves_nothing_unnamed(new_world, monkeypatch, moment):
    """A real signal, while a call is under way in whichever thread: before it arrives, or after."""
    raised = threading.Event()

    def interrupt(number, frame):
        if not raised.is_set():
            raised.set()
            raise KeyboardInterrupt

    def signalled_at(call, world):
        n_calls = 0

        def signalling(method):
            def asked(*arguments):
                nonlocal n_calls
                n_calls += 1
                is_now = n_calls == call
                if is_now and moment == "before":
                    press_ctrl_c()
                answer = method(*arguments)
                if is_now and moment == "after":
                    press_ctrl_c()
                return answer

            return asked

        for api in (world.batch, world.executor._dispatcher._store):
            for name in (*CALLS, "put_list", "get_list", "open_names", "attempts", "close"):
                if hasattr(api, name):
                    setattr(api, name, signalling(getattr(api, name)))
        world.run()
        return n_calls

    def press_ctrl_c():
        # Again and again: one that comes just before a thread waits is heeded after the wait.
        while not raised.wait(0.02):
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    earlier = signal.signal(signal.SIGINT, interrupt)
    try:
        n_calls = signalled_at(None, new_world())
        assert n_calls > 10
        for call in range(1, n_calls + 1):
            raised.clear()
            world = new_world()
            with pytest.raises(KeyboardInterrupt):
                signalled_at(call, world)
            assert world.end() == [], f"call {call}"
            assert world.batch.live() == [], f"call {call}"
    finally:
        signal.signal(signal.SIGINT, earlier)
