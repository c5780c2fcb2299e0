import os
import subprocess
import sys

import numpy as np
import pytest
from tests.stripes.sinograms import transmission

from tomobatch.errors import UserError
from tomobatch.stripes import removal
from tomobatch.stripes.removal import METHODS, remove_stripes
from tomobatch.stripes.settings import StripeSettings, Tuning


@pytest.fixture(scope="module")
def sinograms():
    return np.stack([-np.log(transmission(120, 160, seed)) for seed in range(5)])


@pytest.mark.parametrize("method", METHODS)
def test_rows_do_not_know_of_each_other(method, sinograms):
    together = remove_stripes(sinograms, StripeSettings(method=method), n_threads=3)
    apart = [
        remove_stripes(sinograms[row : row + 1], StripeSettings(method=method))[0]
        for row in range(5)
    ]
    assert np.array_equal(together, np.stack(apart))


@pytest.mark.parametrize("method", METHODS)
def test_can_work_in_place(method, sinograms):
    expected = remove_stripes(sinograms, StripeSettings(method=method))
    given = sinograms.copy()
    assert remove_stripes(given, StripeSettings(method=method), out=given) is given
    assert np.array_equal(given, expected)


@pytest.mark.parametrize("method", [method for method in METHODS if method != "none"])
def test_stripes_get_weaker(method, sinograms):
    clean = -np.log(transmission(120, 160, 0, stripes=False))
    before = np.abs((sinograms[0] - clean).mean(axis=0)).max()
    after = np.abs(
        (remove_stripes(sinograms[:1], StripeSettings(method=method))[0] - clean).mean(axis=0)
    ).max()
    # Each method takes out some kinds only; the strongest stripe of the sinogram is one of each.
    assert after < 0.75 * before


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 4), (1, 40, 5), (1, 5, 40), (1, 60, 200)])
def test_any_shape_without_noise_stays_finite(method, shape):
    sinograms = np.full(shape, 0.5, np.float32)
    assert np.allclose(remove_stripes(sinograms, StripeSettings(method=method)), 0.5, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_extreme_values_stay_finite(method):
    rng = np.random.default_rng(0)
    sinograms = rng.normal(0, 1, (1, 90, 120)).astype(np.float32)
    sinograms[0, :, 30:40] = -np.log(1e-4)
    sinograms[0, :, 80] = -np.log(10)
    assert np.isfinite(remove_stripes(sinograms, StripeSettings(method=method))).all()


@pytest.mark.parametrize("method", METHODS)
def test_air_keeps_its_noise(method):
    """Line integrals of air are about zero: a quotient of their means must not blow them up."""
    rng = np.random.default_rng(1)
    x = np.arange(256) - 127.5
    paths = 0.02 * np.sqrt(np.clip(40**2 - x**2, 0, None))
    transmission = rng.poisson(2000 * np.exp(-paths), (200, 256)) / 2000
    sinograms = -np.log(transmission)[None].astype(np.float32)
    air = np.abs(x) > 60
    after = remove_stripes(sinograms, StripeSettings(method=method))[0][:, air]
    assert after.std() < 1.05 * sinograms[0][:, air].std()


def test_every_choice_is_a_method_or_none():
    """The choices stand in the settings, what does them here: a new one needs both."""
    assert {"none", *removal.ON_LINE_INTEGRALS, *removal.ON_TRANSMISSION} == set(METHODS)


@pytest.mark.parametrize(
    ("n_columns", "expected"), [(2048, (51, 21)), (512, (13, 5)), (64, (11, 5))]
)
def test_windows_not_given_grow_with_the_detector(n_columns, expected):
    assert StripeSettings().tuning(n_columns) == Tuning(3.0, *expected)
    given = StripeSettings(snr=2.0, large_window_px=31, small_window_px=7)
    assert given.tuning(n_columns) == Tuning(2.0, 31, 7)


def test_works_where_no_compiled_code_can_be_kept(tmp_path):
    """As in a read-only container: no folder for numba's cache can be written."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    program = (
        "import numpy as np, numba.core.caching as caching\n"
        "caching.CacheImpl._locator_classes = []\n"
        "from tomobatch.stripes.removal import remove_stripes\n"
        "from tomobatch.stripes.settings import StripeSettings\n"
        "ones = np.ones((1, 30, 30), np.float32)\n"
        "print(np.isfinite(remove_stripes(ones, StripeSettings(method='all'))).all())\n"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(blocked / "below")}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True"


def test_auto_is_settled_before():
    with pytest.raises(UserError, match="auto is for whole scans; name one of none, filtering"):
        remove_stripes(np.zeros((1, 4, 9), np.float32), StripeSettings())
