import boto3
import pytest

from snakemake_executor_plugin_aws_batch_array.pilots.channel import StoreChannel
from snakemake_executor_plugin_aws_batch_array.pilots.closing import close_pilots
from snakemake_executor_plugin_aws_batch_array.pilots.control import Claim, Control, Kind, Offer
from snakemake_executor_plugin_aws_batch_array.pilots.crew import (
    Crew,
    TakenOverError,
    UnconditionalStoreError,
)
from snakemake_executor_plugin_aws_batch_array.store import RunStore, S3Path

KIND = Kind("cpu", "definition:1", 2, 3000, 0)


@pytest.fixture
def channel(aws):
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="bucket")
    return StoreChannel(RunStore(s3, S3Path("bucket", "scratch/run")))


def test_what_is_said_is_heard_once(channel):
    control = Control("me", KIND).offer(Offer("list", "sum", 3, {1: "tag"}))
    assert channel.look("pilots") is None
    tag = channel.write("pilots", control, "")

    seen = channel.look("pilots")
    assert (seen.control, seen.tag) == (control, tag)
    assert 0 <= seen.age_s < 60
    again = channel.look("pilots", tag)
    assert (again.control, again.tag) == (None, tag)
    assert 0 <= again.age_s < 60


def test_nothing_is_written_over_what_was_not_read(channel):
    first = channel.write("pilots", Control("me", KIND), "")
    assert channel.write("pilots", Control("you", KIND), "") is None
    second = channel.write("pilots", Control("me", KIND, beat=2), first)
    assert channel.write("pilots", Control("you", KIND), first) is None
    assert channel.look("pilots").tag == second


def test_pilots_can_be_told_to_end_from_outside(channel):
    assert not close_pilots(channel._store, "pilots")
    crew = Crew(channel, "pilots", 2, Control("me", KIND))
    crew.open()

    assert close_pilots(channel._store, "pilots")
    assert channel.look("pilots").control.closed
    with pytest.raises(TakenOverError):
        crew.offer(Offer("list", "", 1))
    assert close_pilots(channel._store, "pilots")


def test_one_of_two_begins_a_command(channel):
    assert channel.read_claim("list", 3) is None
    assert channel.take_claim("list", 3, Claim(0, 1, 5), "")
    assert not channel.take_claim("list", 3, Claim(1, 1, 6), "")
    claim = channel.read_claim("list", 3)
    assert (claim.pilot, claim.attempt, claim.begun_ms) == (0, 1, 5)
    assert channel.claim_tags("list") == {3: claim.tag}
    assert channel.take_claim("list", 3, Claim(1, 1, 6), claim.tag)
    assert not channel.take_claim("list", 3, Claim(0, 2, 7), claim.tag)


def test_a_storage_without_conditions_is_found_out(channel, monkeypatch):
    put = channel._put
    monkeypatch.setattr(channel, "_put", lambda path, body, over: put(path, body, over) or "tag")

    with pytest.raises(UnconditionalStoreError):
        Crew(channel, "pilots", 2, Control("me", KIND)).open()


def test_the_second_controller_holds_the_pilots_and_the_first_notices(channel):
    first = Crew(channel, "pilots", 2, Control("first", KIND))
    first.open()
    seen = channel.look("pilots")
    second = Crew(channel, "pilots", 2, seen.control, seen.tag)
    third = Crew(channel, "pilots", 2, seen.control, seen.tag)

    second.take_over("second")
    second.offer(Offer("list", "", 1))

    with pytest.raises(TakenOverError):
        third.take_over("third")
    with pytest.raises(TakenOverError):
        first.offer(Offer("another", "", 1))
    assert not first.is_ours
    control = channel.look("pilots").control
    assert (control.owner, control.generation) == ("second", 2)
    assert [offer.name for offer in control.offers] == ["list"]
