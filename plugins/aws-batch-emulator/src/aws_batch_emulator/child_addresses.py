"""Where a child finds the services of its own machine, below the emulator's address."""

METADATA_PATH = "/emulator/machines/"
CREDENTIALS_PATH = "/v2/credentials/"
TASK_PATH = "/v4/"
