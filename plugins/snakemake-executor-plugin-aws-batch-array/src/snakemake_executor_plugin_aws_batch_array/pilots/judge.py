"""Which commands are to be begun anew, and which are lost, by what Batch says of the pilots.

Only Batch's word that an attempt has ended counts: a pilot that is merely silent may still run.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from snakemake_executor_plugin_aws_batch_array.pilots.control import CONTROLLER, Claim


@dataclass(frozen=True)
class Life:
    """What Batch says of one pilot.

    Attributes
    ----------
    n_ended
        How many of its attempts have ended.
    is_over
        Whether no other attempt follows.
    """

    n_ended: int
    is_over: bool


@dataclass(frozen=True)
class Judgement:
    """What becomes of commands that were begun and not brought to an end.

    Attributes
    ----------
    freed
        Command to the tag of its claim: the attempt that began it has ended, and Batch starts the
        pilot again, so that it was the machine and not the command.
    lost
        Commands that have failed: their pilot is over, as a child of an array by step would be.
    """

    freed: Mapping[int, str] = field(default_factory=dict)
    lost: frozenset[int] = frozenset()


def judge(claims: Mapping[int, Claim], lives: Mapping[int, Life]) -> Judgement:
    """Judge commands without an outcome.

    The outcomes of the pilots that are named must have been read after the lives, by name and not
    by a listing.

    Parameters
    ----------
    claims
        By command.
    lives
        By pilot.
    """
    freed: dict[int, str] = {}
    lost: set[int] = set()
    for index, claim in claims.items():
        life = lives.get(claim.pilot)
        if claim.pilot == CONTROLLER or life is None or claim.attempt > life.n_ended:
            continue
        if life.is_over and claim.attempt == life.n_ended:
            lost.add(index)
        else:
            freed[index] = claim.tag
    return Judgement(freed, frozenset(lost))


def gone(claims: Mapping[int, Claim], lives: Mapping[int, Life]) -> set[int]:
    """Return the pilots whose last claim was by an attempt that has ended."""
    return {
        claim.pilot
        for claim in claims.values()
        if claim.pilot in lives and claim.attempt <= lives[claim.pilot].n_ended
    }


def all_over(lives: Mapping[int, Life], pilots: Collection[int]) -> bool:
    """Whether no pilot of an array may begin anything more."""
    return all(pilot in lives and lives[pilot].is_over for pilot in pilots)
