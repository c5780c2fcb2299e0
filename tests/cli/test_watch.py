"""``tomobatch watch`` without ``--local``: a scan becomes a run on AWS, whose end is noticed."""

from pathlib import Path

from aws_batch_emulator import Fault
from tomobatch.aws.runs.place import find_place
from tomobatch.cli.run import name_of
from tomobatch.cli.shared.scans import read_config
from tomobatch.cli.watch import _OnAws
from tomobatch.watch.arrivals import Arrival
from tomobatch.watch.journal import Entry, Journal
from tomobatch.watch.writing import Weight, weigh


def test_scans_of_long_names_that_begin_alike_are_runs_of_their_own():
    aws = _OnAws({}, "profiles/aws")
    paths = [Path(f"/data/in-1234_a_sample_of_a_very_long_name_{n:04}_pct.h5") for n in (1, 2)]
    names = {aws.name(Arrival(path, Weight(1, 1, 1), None), ()) for path in paths}
    assert len(names) == 2
    for name in names:
        assert name_of(name, {name: {}}) == name
    short = Arrival(Path("/data/tooth.h5"), Weight(1, 1, 1), None)
    assert aws.name(short, ()) == "tooth"


def test_a_scan_is_sent_and_its_run_is_followed_to_its_end(emulator, workplace, monkeypatch):
    monkeypatch.chdir(workplace.folder)
    emulator.inject(Fault("slow-start", match="arrived-*", count=None))
    path = Path("scans/tiny.h5").resolve()
    arrival = Arrival(path, weigh(path), None)
    aws = _OnAws(read_config(), "profiles/aws")
    assert aws.reconstruct("arrived", arrival) == "submitted"
    journal = Journal(Path("results/watched.json"))
    journal.note(path, Entry("arrived", arrival.weight, "submitted"))
    (head,) = [job for job in emulator.live_jobs() if job["jobName"].startswith("arrived-")]
    assert aws.follow(journal)
    assert journal.entries[path].state == "submitted"
    find_place().batch.terminate(head["jobId"], "its user stops it")
    emulator.wait_until_idle()
    # Whoever watches may have been started again meanwhile.
    again = Journal(Path("results/watched.json"))
    assert not aws.follow(again)
    assert again.entries[path].state == "failed"
    assert (path, arrival.weight) in again.known()
