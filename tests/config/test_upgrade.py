"""The config.yaml of 0.1.0, with every key that it had, is read as it is."""

import yaml

from tomobatch.config.schema import load_config

WRITTEN_FOR_0_1_0 = """
scans:
  demo: scans/demo.h5
  tooth: {path: scans/tooth.h5, calibrate: {cor_px: 1023.5}}
results: results
datasets:
  projections: /entry/data
  flats: /entry/flats
  darks: /entry/darks
  angles: /entry/angles
  angle_range_deg: [0, 180]
  pixel_size_um: 3.1
  energy_kev: 27.4
chunks: {projections: 64, slices: auto, memory_mb: 256}
normalise:
  flats: mean
  zinger_threshold: 0.3
  saturation_counts: 65535
  transmission_min: 0.0001
  transmission_max: 10.0
stripes: {method: filtering, snr: 3.0, large_window_px: 51, small_window_px: 21}
calibrate: {cor_px: null, tilt_deg: 0.1, grey_window: [0, 1], grey_percentiles: [0.1, 99.9]}
reconstruct:
  method: fourier
  filter: shepp-logan
  device: auto
  padding: edge
  mask: true
  half_acquisition: false
  size_px: 512
  roi_px: [0, 0, 64, 64]
  binning: 2
volume: {levels: 3, export: [tiff, hdf5]}
"""


def test_every_key_of_it_means_what_it_meant():
    written = yaml.safe_load(WRITTEN_FOR_0_1_0)
    config = load_config(written)
    read = {**config.model_dump(mode="json"), **config.scans["demo"].model_dump(mode="json")}
    for section in written.keys() - {"scans", "results"}:
        assert {key: read[section][key] for key in written[section]} == written[section]
    assert read["results"] == "results"
    assert config.scans["tooth"].calibrate.cor_px == 1023.5
