"""Memory that jobs ask for, beside what a plan's sizes say: held against measured peaks."""

import tracemalloc

import numpy as np
import pytest

from tomobatch.phase.blur import PhaseBlur
from tomobatch.phase.retrieve import MOST_THREADS, retrieve_phase, work_mb


@pytest.mark.parametrize(("n_rows", "n_cols", "length_px"), [(64, 400, 5.0), (300, 200, 30.0)])
def test_phase_retrieval_takes_no_more_than_is_asked_for(n_rows, n_cols, length_px):
    frames = np.full((3 * MOST_THREADS, n_rows, n_cols), 0.5, np.float32)
    blur = PhaseBlur("paganin", length_px, fresnel_number=1.0)
    retrieve_phase(frames[:1], blur)
    tracemalloc.start()
    retrieve_phase(frames, blur)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    asked_mb = work_mb(n_rows, n_cols, length_px)
    assert peak_bytes / 1e6 <= asked_mb
    assert asked_mb <= 8 * peak_bytes / 1e6
