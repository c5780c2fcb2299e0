"""An AWS Batch on this machine: children really run, and fail on demand."""

from aws_batch_emulator.client import Emulator, EmulatorError, OwnEmulator, start
from aws_batch_emulator.faults import Fault, FaultKind
from aws_batch_emulator.settings import Settings

__all__ = ["Emulator", "EmulatorError", "Fault", "FaultKind", "OwnEmulator", "Settings", "start"]
