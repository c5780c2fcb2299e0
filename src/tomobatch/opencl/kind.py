"""The kinds of device that can be asked for."""

from typing import Literal

DeviceKind = Literal["auto", "gpu", "cpu"]
