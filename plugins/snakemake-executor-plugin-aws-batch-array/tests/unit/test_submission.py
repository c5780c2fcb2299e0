"""The request of SubmitJob."""

import re
from dataclasses import replace

from snakemake_executor_plugin_aws_batch_array.submission import (
    RETRY_RULES,
    submit_request,
)


def test_all_that_no_rule_names_is_left_to_snakemake():
    assert RETRY_RULES[0] == {"onStatusReason": "Host EC2*", "action": "RETRY"}
    assert RETRY_RULES[-1] == {"onReason": "*", "action": "EXIT"}
    # Batch takes five rules at most, and retries what none of them fits.
    assert len(RETRY_RULES) <= 5


def test_share_and_priority_are_asked_for_where_they_are_set(submission):
    assert not {"shareIdentifier", "schedulingPriorityOverride"} & submit_request(submission).keys()
    request = submit_request(replace(submission, share="lab", priority=0))

    assert (request["shareIdentifier"], request["schedulingPriorityOverride"]) == ("lab", 0)


def test_retry_rules_are_as_aws_takes_them():
    conditions = [value for rule in RETRY_RULES for key, value in rule.items() if key != "action"]

    assert len(RETRY_RULES) <= 5
    assert all(re.fullmatch(r"[A-Za-z0-9.:\s]*\*?", condition) for condition in conditions)
    assert RETRY_RULES[-1] == {"onReason": "*", "action": "EXIT"}
