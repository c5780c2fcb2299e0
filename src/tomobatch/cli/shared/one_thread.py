"""One thread for linear algebra, in commands that look at a few rows."""

import os


def take_one_thread() -> None:
    """Keep OpenBLAS to one thread, unless the user says otherwise; before numpy is imported.

    The matrices of a look at a scan have a few rows. Its threads wait for each other by spinning,
    which takes more of the processor than the work does, many times over where other programs run.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
