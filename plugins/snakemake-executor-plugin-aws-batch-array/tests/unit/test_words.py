"""Numbers and their nouns."""

import pytest

from snakemake_executor_plugin_aws_batch_array.words import counted


@pytest.mark.parametrize(
    ("number", "words", "said"),
    [
        (0, ("job",), "0 jobs"),
        (1, ("job",), "1 job"),
        (2, ("job",), "2 jobs"),
        (1, ("child", "children"), "1 child"),
        (3, ("child", "children"), "3 children"),
    ],
)
def test_a_noun_goes_with_its_number(number, words, said):
    assert counted(number, *words) == said
