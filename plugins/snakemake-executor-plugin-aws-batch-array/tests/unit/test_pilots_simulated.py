"""Simulated runs of pilots; ten thousand of them: ``benchmarks/pilots.py``."""

from dataclasses import replace

import pytest
from benchmarks import pilots
from benchmarks.pilot_world import Broken

from snakemake_executor_plugin_aws_batch_array.pilots import crew, flight, judge, watch


@pytest.mark.parametrize("first", range(0, 160, 40))
def test_no_promise_is_broken(first):
    for seed in range(first, first + 40):
        pilots.simulate(seed)


@pytest.fixture
def is_found(monkeypatch):
    """Whether a fault breaks a promise in one of some runs in bad weather."""
    draw = pilots.Weather.draw

    def is_found(seeds=60):
        monkeypatch.setattr(pilots.Weather, "draw", lambda rng: replace(draw(rng), p_death=0.03))
        for seed in range(seeds):
            try:
                pilots.simulate(seed)
            except Broken:
                return True
        return False

    return is_found


def test_bad_weather_alone_breaks_nothing(is_found):
    assert not is_found(30)


def test_a_claim_that_anybody_gets_is_found(monkeypatch, is_found):
    monkeypatch.setattr(pilots.World, "put_claim", lambda self, *claim: True)
    assert is_found()


def test_taking_silence_for_an_end_is_found(monkeypatch, is_found):
    def too_soon(claims, lives):
        return judge.Judgement({index: claim.tag for index, claim in claims.items()})

    monkeypatch.setattr(watch, "judge", too_soon)
    assert is_found()


def test_forgetting_what_was_begun_by_the_gone_is_found(monkeypatch, is_found):
    monkeypatch.setattr(watch, "judge", lambda claims, lives: judge.Judgement())
    assert is_found()


def test_a_listing_taken_for_the_last_word_is_found(monkeypatch, is_found):
    monkeypatch.setattr(watch, "gone", lambda claims, lives: ())
    assert is_found()


def test_running_again_what_an_attempt_before_has_done_is_found(monkeypatch, is_found):
    update = flight._Pilot.update

    def forgetful(self, control):
        attempt, self.attempt = self.attempt, 1
        yield from update(self, control)
        self.attempt = attempt

    monkeypatch.setattr(flight._Pilot, "update", forgetful)
    assert is_found()


def test_a_pilot_that_does_not_see_the_end_is_found(monkeypatch, is_found):
    see = pilots.World.see_control

    def open_for_ever(self, name, tag):
        seen = see(self, name, tag)
        control = seen and seen.control and replace(seen.control, closed=False)
        return seen and replace(seen, control=control)

    monkeypatch.setattr(pilots.World, "see_control", open_for_ever)
    assert is_found()


def test_a_controller_that_does_not_notice_another_is_found(monkeypatch, is_found):
    write = crew.Crew._write

    def stubborn(self, change):
        self.tag = self.channel.world.controls.get(self.name, ("", "", 0))[1]
        write(self, change)

    monkeypatch.setattr(crew.Crew, "_write", stubborn)
    assert is_found()
