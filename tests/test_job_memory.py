"""Memory that jobs ask for, beside what a plan's sizes say: held against measured peaks."""

import tracemalloc

import numpy as np
import pytest
from scipy import ndimage

from tomobatch.align.settings import AlignSettings
from tomobatch.job_memory import _ALIGNED_COPIES, _FOLLOWING_IMAGES
from tomobatch.normalise.dynamic import find_modes, gains
from tomobatch.on_chunks.alignment import Band, find_shifts
from tomobatch.phase.blur import PhaseBlur
from tomobatch.phase.retrieve import retrieve_phase, work_mb


@pytest.mark.parametrize("unsharp_px", [None, 3.0])
def test_phase_retrieval_takes_no_more_than_is_asked_for(unsharp_px):
    frames = np.full((4, 600, 800), 0.5, np.float32)
    blur = PhaseBlur("paganin", 30.0, fresnel_number=1.0, unsharp_px=unsharp_px)
    retrieve_phase(frames[:1], blur)
    tracemalloc.start()
    retrieve_phase(frames, blur)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    asked_mb = work_mb(600, 800, blur)
    assert peak_bytes / 1e6 <= 1.1 * asked_mb
    assert asked_mb <= 1.1 * peak_bytes / 1e6


def test_flats_that_move_take_no_more_than_is_asked_for():
    rng = np.random.default_rng(0)
    bands = 1 + 0.05 * ndimage.gaussian_filter1d(rng.normal(size=800), 2)[:, None]
    places = rng.integers(0, 16, 10)
    flats = [rng.poisson(2e4 * np.tile(bands[k : k + 768], (1, 768))) for k in places]
    shape = flats[0].shape
    blank, good = np.zeros(shape, np.float32), np.zeros(shape, dtype=np.bool_)
    tracemalloc.start()
    modes = find_modes([np.stack(flats).astype(np.uint16)], blank, good)
    assert modes is not None
    gains(blank[None], modes)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    raw_bytes = 10 * 2 * blank.size
    assert peak_bytes - raw_bytes <= _FOLLOWING_IMAGES * blank.nbytes


def test_alignment_takes_no_more_than_is_asked_for():
    angles_rad = np.linspace(0, np.pi, 120, endpoint=False)
    disc = np.sqrt(np.maximum(0.5 - np.linspace(-1, 1, 200) ** 2, 0))
    heights = 1.5 + np.sin(np.arange(32))
    rows = np.tile((heights[:, None, None] * disc).astype(np.float32), (1, 120, 1))
    rows += np.random.default_rng(0).normal(0, 0.01, rows.shape).astype(np.float32)
    settings = AlignSettings(method="auto", iterations=2)
    find_shifts([Band(0, rows)], angles_rad, 32, settings)
    tracemalloc.start()
    find_shifts([Band(0, rows)], angles_rad, 32, settings)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes <= _ALIGNED_COPIES * rows.nbytes <= 3 * peak_bytes
