"""What is asked of AWS Batch for jobs that are alike."""

import pytest

from snakemake_executor_plugin_aws_batch_array import executor as executor_module
from snakemake_executor_plugin_aws_batch_array.command_list import Command
from snakemake_executor_plugin_aws_batch_array.preparing import ReadyJob
from snakemake_executor_plugin_aws_batch_array.resources import JobResources
from snakemake_executor_plugin_aws_batch_array.tracked import Ticket
from snakemake_executor_plugin_aws_batch_array.verdicts import MAX_LOGS, Verdict


@pytest.fixture
def asking(as_told):
    """Return what takes jobs as they are; each asks for what it is given."""

    def preparation(asked):
        each = iter(asked)
        command = Command(("a:",), (), "", ())
        return as_told(lambda job: ReadyJob(job, "a", "cpu", next(each), command), "the run")

    return preparation


@pytest.fixture
def parcels(executor, monkeypatch):
    """What the dispatcher is given."""
    given = []

    def submit(run, parcel):
        given.append(parcel)
        return [Ticket("list", index) for index in range(len(parcel.commands))]

    dispatcher = executor._dispatcher
    dispatcher.submit = submit
    dispatcher.has_left = lambda command: False
    dispatcher.external_id = lambda ticket: "job1"
    monkeypatch.setattr(executor_module, "wanted_files", lambda workflow: frozenset())
    monkeypatch.setattr(executor_module, "find_demands", lambda workflow, jobs: [])
    executor.report_job_submission = lambda info: None
    executor.run_job_pre = lambda job: None
    executor._definitions = type("Any", (), {"for_job": lambda *_: "definition:1"})()
    return given


def test_jobs_of_one_array_get_what_the_largest_of_them_asks_for(
    executor, parcels, new_job, asking
):
    asked = [
        JobResources("cpu", 1, 1000, 0, 600),
        JobResources("cpu", 1, 1020, 0, 620),
        JobResources("cpu", 1, 1010, 0, 610),
    ]
    assert len({each.likeness for each in asked}) == 1
    executor._preparation = asking(asked)

    executor.run_jobs([new_job() for _ in asked])

    (parcel,) = parcels
    assert (parcel.memory_mib, parcel.command_timeout_s) == (1020, 620)
    assert len(parcel.commands) == 3


def test_what_a_job_makes_anew_is_not_known_from_before(
    executor, parcels, new_job, asking, monkeypatch
):
    jobs, changing = [new_job(), new_job()], []
    executor._preparation = asking([JobResources("cpu", 1, 1000, 0, None)] * 2)
    monkeypatch.setattr(executor._outputs, "will_change", changing.extend)

    executor.run_jobs(jobs)

    assert changing == jobs


def test_logs_of_rules_are_read_for_a_few_of_many_that_fail(
    executor, new_job, active, check, monkeypatch
):
    jobs = [new_job() for _ in range(4 * MAX_LOGS)]
    executor._dispatcher.verdicts = {
        Ticket("list", index): Verdict("bad") for index in range(len(jobs))
    }
    read = []
    monkeypatch.setattr(executor_module, "rule_log_tails", lambda job: read.append(job) or ["line"])

    check(executor, active(*jobs))

    assert len(executor.failed) == len(jobs)
    assert len(read) == MAX_LOGS
