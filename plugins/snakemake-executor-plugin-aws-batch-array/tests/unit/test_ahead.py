"""What a workflow's rules tell of jobs that are not ready yet."""

from types import SimpleNamespace

from snakemake_executor_plugin_aws_batch_array.ahead import kinds_ahead
from snakemake_executor_plugin_aws_batch_array.deployment import Deployment
from snakemake_executor_plugin_aws_batch_array.pilots.control import Kind
from snakemake_executor_plugin_aws_batch_array.pilots.sizes import Ahead
from snakemake_executor_plugin_aws_batch_array.store import S3Path

QUEUES = Deployment({"cpu": "q", "gpu": "g"}, {}, "", "", S3Path("b", ""))
DEFINITIONS = SimpleNamespace(for_job=lambda queue: f"for {queue}")


def jobs_of(name, n_jobs, of_job):
    """Return jobs of a rule, whose resources go by their number."""

    def expand(wildcards, *_, **__):
        return SimpleNamespace(items=lambda: of_job(wildcards["k"]).items())

    rule = SimpleNamespace(name=name, expand_resources=expand)
    return [
        SimpleNamespace(rule=rule, is_local=False, wildcards_dict={"k": k}, input=[], attempt=1)
        for k in range(n_jobs)
    ]


def ahead(*jobs):
    workflow = SimpleNamespace(dag=SimpleNamespace(needrun_jobs=lambda: [*jobs]))
    return kinds_ahead(workflow, QUEUES, DEFINITIONS)


def test_all_jobs_of_a_rule_take_what_those_that_were_asked_do():
    jobs = jobs_of("a", 60, lambda k: {"mem_mb": 100, "work_s": 10 + k})

    assert ahead(*jobs) == [Ahead(Kind("q", "for q", 1, 100, 0), 60, 720)]


def test_jobs_of_one_rule_that_differ_are_counted_once():
    jobs = jobs_of("a", 10, lambda k: {"mem_mb": 100 + 100 * (k % 2), "work_s": 8})

    assert [(each.n_jobs, each.work_s) for each in ahead(*jobs)] == [(6, 48), (4, 32)]


def test_what_cannot_be_told_yet_or_is_not_told_is_not_known():
    silent = jobs_of("a", 3, lambda k: {"mem_mb": 100})
    unknown = jobs_of("b", 2, lambda k: 1 / 0)

    assert [each.work_s for each in ahead(*silent, *unknown)] == [None, None]
    assert [each.kind is None for each in ahead(*silent, *unknown)] == [False, True]
