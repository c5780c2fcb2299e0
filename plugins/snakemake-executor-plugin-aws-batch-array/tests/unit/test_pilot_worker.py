"""The worker as a pilot, on an S3 in this process, with commands that are functions."""

import io
import os
import tarfile
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from snakemake_executor_plugin_aws_batch_array.errors import UserError
from snakemake_executor_plugin_aws_batch_array.pilots.control import Claim, Control, Kind, Offer
from snakemake_executor_plugin_aws_batch_array.store import S3Path
from snakemake_executor_plugin_aws_batch_array.worker.assignment import Assignment
from snakemake_executor_plugin_aws_batch_array.worker.host import Host
from snakemake_executor_plugin_aws_batch_array.worker.pilot import PilotWork
from snakemake_executor_plugin_aws_batch_array.worker.process import Ended

HOST = Host("c6a.xlarge", "eu-central-1a", "spot", "i-1")


class Runner:
    """Runs nothing; notes what it was asked for, and may be told to stop."""

    def __init__(self):
        self.stopping = False
        self.exit_codes = {}
        self.ran = []
        self.stops_at = None

    def run(self, function, timeout_s=None):
        target = function()
        self.ran.append(target)
        self.stopping = self.stopping or target == self.stops_at
        exit_code = 143 if self.stopping else self.exit_codes.get(target, 0)
        return Ended(exit_code, False, 10)


@pytest.fixture
def store(real_store):
    return real_store


@pytest.fixture
def control(channel):
    """What the controller said last; call it to say more."""
    channel.write("pilots", Control("me", Kind("cpu", "d", 1, 100, 0)), "")

    def say(change):
        seen = channel.look("pilots")
        wanted = replace(change(seen.control), beat=seen.control.beat + 1)
        assert channel.write("pilots", wanted, seen.tag)

    return say


@pytest.fixture
def offer(store, control, make_list):
    def offer(name="list", n_commands=4, **more):
        body = io.BytesIO()
        with tarfile.open(fileobj=body, mode="w:xz") as archive:
            archive.addfile(tarfile.TarInfo(f"Snakefile-{name}"))
        sources = store.put_sources(body.getvalue())
        commands = make_list(
            n_commands, 2, name, sources=sources, arguments=("--all",), pilots="pilots", **more
        )
        checksum = store.put_list(commands)
        control(lambda one: one.offer(Offer(name, checksum, n_commands)))

    return offer


@pytest.fixture
def fly(store, channel, control, make_list, tmp_path, monkeypatch):
    """Fly a pilot until the controller closes: when it has said the rest, one word a nap."""

    def close():
        control(lambda one: replace(one, closed=True))

    def fly(child=0, attempt=1, runner=None, says=()):
        monkeypatch.chdir(tmp_path)
        runner = runner or Runner()
        words = [*says, close]

        def sleep(_seconds):
            if words:
                words.pop(0)()

        work = PilotWork(
            Assignment(child, 2, attempt, S3Path("bucket", "scratch/run/lists/pilots.json"), "x"),
            make_list(0, 2, "pilots", pilots="pilots"),
            store,
            channel,
            runner,
            lambda arguments, environment: arguments[-1],
            HOST,
            sleep,
        )
        code = work.run()
        os.chdir(tmp_path)
        return code, runner.ran

    return fly


def test_a_pilot_takes_its_slice_first_and_then_what_nobody_begins(offer, fly, store, channel):
    offer()

    code, ran = fly(child=1)

    assert code == 0
    assert ran == ["a:i=2", "a:i=3", *ran[2:]]
    assert sorted(ran) == [f"a:i={i}" for i in range(4)]
    assert sorted(store.get_outcomes("list", 1).by_command) == [0, 1, 2, 3]
    assert channel.claim_tags("list").keys() == {0, 1, 2, 3}
    (attempt,) = store.attempts()["pilots"][1]
    assert (attempt.finished, attempt.instance_id) == (True, "i-1")


def test_what_another_has_begun_is_left_to_it(offer, fly, channel):
    offer()
    for command in (0, 3):
        channel.take_claim("list", command, Claim(1, 1), "")

    assert fly(child=0)[1] == ["a:i=1", "a:i=2"]


def test_what_is_freed_is_begun_anew(offer, fly, control, channel):
    offer(n_commands=2)
    channel.take_claim("list", 1, Claim(1, 1), "")
    tag = channel.claim_tags("list")[1]
    control(lambda one: one.free("list", {1: tag}))

    assert fly(child=0)[1] == ["a:i=0", "a:i=1"]
    assert channel.read_claim("list", 1).pilot == 0


def test_the_next_attempt_skips_what_is_done_and_does_what_was_cut_off(offer, fly, store):
    offer(n_commands=3)
    runner = Runner()
    runner.stops_at = "a:i=1"
    first = fly(child=1, runner=runner)
    assert first == (75, ["a:i=1"])
    assert store.get_outcomes("list", 1).by_command == {}

    code, ran = fly(child=1, attempt=2)

    assert (code, ran[0]) == (0, "a:i=1")
    assert sorted(ran) == ["a:i=0", "a:i=1", "a:i=2"]
    third = fly(child=1, attempt=3)
    assert third == (0, [])


def test_a_command_that_failed_is_the_controllers_affair(offer, fly, store):
    offer(n_commands=2)
    runner = Runner()
    runner.exit_codes = {"a:i=0": 3}

    code, ran = fly(runner=runner)

    assert (code, ran) == (0, ["a:i=0", "a:i=1"])
    assert store.get_outcomes("list", 0).by_command[0].exit_code == 3


def test_sources_of_another_list_are_unpacked_apart(offer, fly, tmp_path):
    offer("one", 1)
    offer("two", 1)

    fly()

    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("Snakefile-*"))
    assert found == ["sources0/Snakefile-one", "sources1/Snakefile-two"]


def test_a_pilot_ends_when_nobody_leads_it_and_there_is_nothing_to_do(offer, fly, control):
    offer(n_commands=2)
    control(lambda one: replace(one, patience_s=-1))

    code, ran = fly(says=[pytest.fail])

    assert (code, len(ran)) == (0, 2)


def test_a_pilot_that_waits_hears_of_new_lists(offer, fly):
    assert fly(says=[lambda: offer("late", 1), *[lambda: None] * 5]) == (0, ["a:i=0"])


def test_a_pilot_that_waits_stops_when_it_is_told(fly, store):
    runner = Runner()

    def stop():
        runner.stopping = True

    assert fly(runner=runner, says=[stop]) == (75, [])
    (attempt,) = store.attempts()["pilots"][0]
    assert not attempt.finished


def test_a_role_without_the_right_to_claim_is_told_of(offer, fly, channel, monkeypatch):
    offer()

    def denied(*_):
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject")

    monkeypatch.setattr(channel, "take_claim", denied)

    with pytest.raises(UserError, match="may not write s3://bucket/scratch/run/claims"):
        fly()
