"""All arrays of pilots that a controller of a run speaks to."""

import uuid
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress

from botocore.exceptions import BotoCoreError, ClientError

from snakemake_executor_plugin_aws_batch_array.batch import BatchApi
from snakemake_executor_plugin_aws_batch_array.command_list import CommandList, Outcome
from snakemake_executor_plugin_aws_batch_array.pilots.control import (
    CONTROLLER,
    Claim,
    Control,
    Kind,
)
from snakemake_executor_plugin_aws_batch_array.pilots.crew import (
    BEAT_S,
    Channel,
    Crew,
    TakenOverError,
)
from snakemake_executor_plugin_aws_batch_array.status import JobDetail, Status
from snakemake_executor_plugin_aws_batch_array.verdicts import OutcomeReader

_END_POLL_S, _END_WAIT_S = 0.5, 60.0
"""For pilots to see that they are to end: each looks every few seconds."""


class Fleet:
    """The pilots of one run.

    Parameters
    ----------
    channel
        Where they are spoken to.
    outcomes
        Where they report.
    batch
        Where they are looked for and ended.
    warn
        Told what the user should know.
    """

    def __init__(
        self,
        channel: Channel,
        outcomes: OutcomeReader,
        batch: BatchApi,
        warn: Callable[[str], object],
    ) -> None:
        self._channel = channel
        self._outcomes = outcomes
        self._batch = batch
        self._warn = warn
        self.owner = uuid.uuid4().hex
        self._crews: dict[str, Crew] = {}

    @property
    def job_ids(self) -> dict[str, str]:
        """Name to Batch id of the arrays that may run; empty as long as SubmitJob is under way."""
        return {name: crew.job_id for name, crew in self._crews.items()}

    def find(self, kind: Kind, versions: Mapping[str, str]) -> Crew | None:
        """Return most pilots that hold commands of a kind; or some alike that are too small."""
        alike = [
            crew
            for crew in list(self._crews.values())
            if crew.may_take_more and crew.control.kind.is_like(kind) and crew.versions == versions
        ]
        holding = [crew for crew in alike if crew.control.kind.holds(kind)]
        return max(holding or alike, key=lambda crew: crew.n_pilots, default=None)

    def add(
        self, name: str, kind: Kind, n_pilots: int, versions: Mapping[str, str], makes: str
    ) -> Crew:
        """Return pilots that are to be opened and submitted."""
        control = Control(self.owner, kind, makes)
        crew = Crew(self._channel, name, n_pilots, control, versions=versions)
        self._crews[name] = crew
        return crew

    def crew(self, name: str) -> Crew:
        """Return the pilots of an array."""
        return self._crews[name]

    def forget(self, crew: Crew) -> None:
        """Speak to some pilots no more."""
        self._crews.pop(crew.name, None)
        crew.is_ours = False

    def take_over(
        self,
        arrays: Collection[CommandList],
        details: Mapping[str, JobDetail],
        wanted: Collection[str],
    ) -> list[str]:
        """Hold the pilots that an earlier controller left, and return what the user must know.

        Parameters
        ----------
        arrays
            The lists of arrays of pilots.
        details
            What Batch says of each, by name.
        wanted
            Digests of all files that this workflow makes. Pilots of another workflow are another
            controller's as long as that one is at work.
        """
        complaints = []
        for commands in arrays:
            seen = self._channel.look(commands.name)
            detail = details.get(commands.name)
            if seen is None or seen.control is None or seen.control.closed or detail is None:
                continue
            is_ours = seen.control.makes in wanted or seen.age_s > 2 * BEAT_S
            if detail.status.is_final or not is_ours:
                continue
            crew = Crew(
                self._channel,
                commands.name,
                commands.n_children,
                seen.control,
                seen.tag,
                detail.job_id,
                commands.versions,
            )
            try:
                crew.take_over(self.owner)
            except TakenOverError:
                complaints.append(f"{commands.name}: another controller holds these pilots.")
            else:
                self._crews[commands.name] = crew
        return complaints

    def keep(self, names: Collection[str]) -> None:
        """Let pilots work on no other than these lists."""
        for crew in self._crews.values():
            for offer in crew.control.offers:
                if offer.name not in names:
                    crew.done(offer.name)

    def offers(self, commands: CommandList) -> bool:
        """Whether pilots are at work on a list."""
        crew = self._crews.get(commands.pilots)
        return crew is not None and commands.name in {one.name for one in crew.control.offers}

    def reported(self, name: str) -> dict[int, Outcome]:
        """Return the outcomes of a list's commands; of several of one command, the best."""
        found: dict[int, Outcome] = {}
        for pilot in self._outcomes.outcome_tags(name):
            for index, outcome in self._outcomes.get_outcomes(name, pilot).by_command.items():
                if index not in found or outcome.succeeded:
                    found[index] = outcome
        return found

    def begun_ms(self, name: str, commands: Collection[int]) -> dict[int, int]:
        """Return when commands were begun, of those that were."""
        begun = self._channel.claim_tags(name).keys() & set(commands)
        claims = {index: self._channel.read_claim(name, index) for index in sorted(begun)}
        return {index: claim.begun_ms for index, claim in claims.items() if claim is not None}

    def done(self, commands: CommandList) -> None:
        """Note that a list is done with."""
        if commands.pilots in self._crews:
            self._crews[commands.pilots].done(commands.name)

    def claim_tags(self, name: str) -> dict[int, str]:
        """List the claims of a list: command to tag."""
        return self._channel.claim_tags(name)

    def read_claim(self, name: str, command: int) -> Claim | None:
        """Read the claim of a command."""
        return self._channel.read_claim(name, command)

    def free(self, name: str, freed: Mapping[int, str]) -> None:
        """Let the pilots begin some commands anew."""
        for crew in list(self._crews.values()):
            if crew.is_ours and name in {one.name for one in crew.control.offers}:
                self._say(crew, lambda crew=crew: crew.free(name, freed))  # type: ignore[misc]

    def withdraw(self, name: str, command: int) -> Claim | None:
        """Keep pilots from beginning a command; return the claim of the one that has."""
        while not self._channel.take_claim(name, command, Claim(CONTROLLER, 0), ""):
            claim = self._channel.read_claim(name, command)
            if claim is not None:
                return None if claim.pilot == CONTROLLER else claim
        return None

    def beat(self, now_s: float) -> None:
        """Say that the controller is there."""
        for crew in list(self._crews.values()):
            self._say(crew, lambda crew=crew: crew.beat(now_s))  # type: ignore[misc]

    def release(self, queue: str, decided: Collection[str]) -> None:
        """Let the pilots of a queue end whose lists are decided; others need their machines."""
        for crew in list(self._crews.values()):
            if crew.control.kind.queue != queue or not crew.job_id or not crew.may_take_more:
                continue
            if crew.close_if_idle(decided):
                details = self._batch.describe(_pilot_ids(crew))
                for job_id, detail in details.items():
                    if not detail.status.is_final and detail.status is not Status.RUNNING:
                        self._batch.terminate(job_id, "it has nothing to do, and others wait")

    def close(self) -> None:
        """Let nobody begin anything more."""
        for crew in list(self._crews.values()):
            with suppress(ClientError, BotoCoreError):
                self._say(crew, crew.close)

    def dismiss(self, sleep: Callable[[float], object]) -> list[str]:
        """Let the pilots end, and end those that don't; return the arrays that may run on.

        One that has not started would start a machine to see that there is nothing to do.
        """
        crews = [crew for crew in self._crews.values() if crew.is_ours and crew.job_id]
        left = {job_id for crew in crews for job_id in _pilot_ids(crew)}
        try:
            self.close()
            waited_s = 0.0
            while left:
                details = self._batch.describe(sorted(left))
                left = {id_ for id_ in left if id_ in details and not details[id_].status.is_final}
                is_late = waited_s >= _END_WAIT_S
                for id_ in left:
                    if is_late or (waited_s == 0 and details[id_].status is not Status.RUNNING):
                        self._batch.terminate(id_, "its run is over")
                if is_late:
                    break
                sleep(_END_POLL_S)
                waited_s += _END_POLL_S
        except (ClientError, BotoCoreError):
            return [crew.name for crew in crews if left & set(_pilot_ids(crew))]
        return []

    def _say(self, crew: Crew, word: Callable[[], object]) -> None:
        try:
            word()
        except TakenOverError:
            self._warn(
                f"Another controller of this run has taken over the pilots {crew.name}: what is "
                "ready from now on goes to arrays of its own here. End one of the two."
            )


def _pilot_ids(crew: Crew) -> list[str]:
    if crew.n_pilots == 1:
        return [crew.job_id]
    return [f"{crew.job_id}:{pilot}" for pilot in range(crew.n_pilots)]
