"""Lets `python -m aws_batch_emulator` do what the command does."""

from aws_batch_emulator.cli import main

raise SystemExit(main())
