"""The executor between Snakemake and the dispatcher, with both of them replaced."""

import contextlib

import pytest

from snakemake_executor_plugin_aws_batch_array.outputs import Outputs
from snakemake_executor_plugin_aws_batch_array.tracked import Ticket
from snakemake_executor_plugin_aws_batch_array.verdicts import SUCCESS, Verdict


def test_each_job_is_reported_or_stays_active(executor, new_job, active, check):
    infos = active(new_job(), new_job(), new_job())
    executor._dispatcher.verdicts = {Ticket("list", 0): SUCCESS, Ticket("list", 1): Verdict("bad")}

    assert check(executor, infos) == [infos[2]]
    assert executor.finished == [infos[0].job]
    assert executor.failed == [infos[1].job]
    assert infos[1].job.errors[0].startswith("bad\n")
    assert [ticket.command for ticket in executor._dispatcher.settled] == [1]


def test_a_success_is_settled_when_snakemake_has_written_all_of_it_down(
    executor, new_job, active, check
):
    """Else a controller killed in between leaves a closed list and outputs called incomplete."""
    group = new_job(is_group=True)
    group.jobs = [new_job(), new_job()]
    executor._dispatcher.verdicts = {Ticket("list", 0): SUCCESS}
    check(executor, active(group))
    for single in group.jobs:
        assert executor._dispatcher.settled == []
        executor.recorded.add(single)
        check(executor, [])

    assert executor._dispatcher.settled == [Ticket("list", 0)]


class NotedOutputs(Outputs):
    """Notes which jobs' outputs are listed, beside what else happens."""

    def __init__(self, events):
        super().__init__()
        self.events = events

    def find(self, jobs):
        self.events.append(list(jobs))
        return [[] for _ in jobs]


def test_outputs_are_listed_once_for_all_that_succeeded_before_any_is_reported(
    executor, new_job, active, check
):
    infos = active(new_job(), new_job(), new_job())
    executor._outputs = NotedOutputs(executor.finished)
    executor._dispatcher.verdicts = {
        Ticket("list", 0): SUCCESS,
        Ticket("list", 1): Verdict("bad"),
        Ticket("list", 2): SUCCESS,
    }

    check(executor, infos)

    good = [infos[0].job, infos[2].job]
    assert executor.finished == [good, *good]


def test_a_poll_that_fails_leaves_every_job_active(executor, new_job, active, check):
    infos = active(new_job(), new_job())
    executor._dispatcher.error = ConnectionError("no route")

    assert check(executor, infos) == infos
    assert "no route" in executor.logger.lines[0][1]


def test_the_message_of_a_group_is_shown_although_snakemake_drops_it(
    executor, new_job, active, check
):
    infos = active(new_job(is_group=True))
    executor._dispatcher.verdicts = {Ticket("list", 0): Verdict("bad")}

    check(executor, infos)

    assert ("error", "bad") in executor.logger.lines


def test_a_job_that_cannot_be_prepared_is_an_error_and_no_exception(executor, new_job):
    job = new_job()

    executor.run_jobs([job])

    assert executor.failed == [job]
    assert "a job nobody can name" in job.errors[0]


def test_ctrl_c_ends_all_although_snakemakes_list_is_empty(executor):
    executor.cancel_jobs([])

    assert len(executor._dispatcher.cancelled) == 1


def test_an_output_that_is_missing_fails_its_job_and_no_other(
    executor, monkeypatch, new_job, active, check
):
    infos = active(new_job(), new_job())
    executor._dispatcher.verdicts = {Ticket("list", 0): SUCCESS, Ticket("list", 1): SUCCESS}
    monkeypatch.setattr(executor._outputs, "find", lambda jobs: [["s3://b/gone"], []])

    assert check(executor, infos) == []
    assert executor.finished == [infos[1].job]
    assert executor.failed == [infos[0].job]
    assert "s3://b/gone" in infos[0].job.errors[0]


def test_outputs_that_cannot_be_asked_for_are_asked_for_again(
    executor, monkeypatch, new_job, active, check
):
    infos = active(new_job(), new_job())
    executor._dispatcher.verdicts = {Ticket("list", 0): SUCCESS, Ticket("list", 1): Verdict("bad")}

    def busy(jobs):
        raise ConnectionError("S3 is busy")

    with monkeypatch.context() as patch:
        patch.setattr(executor._outputs, "find", busy)
        assert check(executor, infos) == [infos[0]]
    assert executor.failed == [infos[1].job]

    assert check(executor, infos[:1]) == []
    assert executor.finished == [infos[0].job]


def test_ctrl_c_says_what_may_run_on(executor):
    executor._dispatcher.left = ["run-a-1"]
    executor._dispatcher.strangers = ["run-b-1"]

    executor.cancel_jobs([])

    (_, (error, may_run), (warning, left_alone)) = executor.logger.lines
    assert (error, warning) == ("error", "warning")
    assert "run-a-1" in may_run
    assert "run-b-1" in left_alone


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ConnectionError("no route")])
def test_ctrl_c_that_comes_to_nothing_says_what_may_run_on(executor, error):
    executor._dispatcher.error = error
    executor._dispatcher.left = ["run-a-1"]

    with contextlib.suppress(KeyboardInterrupt):
        executor.cancel_jobs([])

    assert "run-a-1" in executor.logger.lines[-1][1]


def test_ctrl_c_ends_what_it_knows_where_nobody_could_look_for_more(executor, monkeypatch):
    def busy(wanted):
        raise ConnectionError("S3 is busy")

    monkeypatch.setattr(executor._dispatcher, "inherit", busy)
    executor.cancel_jobs([])

    assert len(executor._dispatcher.cancelled) == 1
    level, text = executor.logger.lines[-1]
    assert level == "error"
    assert "earlier controller of run run" in text
    assert "S3 is busy" in text


def test_a_job_that_was_taken_up_and_is_submitted_again_is_the_same_to_snakemake(
    executor, new_job, active
):
    (info,) = active(new_job())
    executor._again[info.job] = info
    executor._dispatcher.external_id = lambda ticket: "job2:0"

    assert executor._report_submission(info.job, Ticket("other", 3)) is info
    assert (info.external_jobid, info.aux) == ("job2:0", {"ticket": Ticket("other", 3)})


def test_a_job_that_was_taken_up_and_cannot_be_submitted_again_fails(
    executor, new_job, active, check
):
    (info,) = active(new_job())
    executor._again[info.job] = info

    executor._refuse(info.job, RuntimeError("no such queue"))

    assert check(executor, [info]) == []
    assert "no such queue" in info.job.errors[0]
