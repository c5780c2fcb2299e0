"""Stands in for ``python SCRIPT``: has the warm process run it, with the files of this one.

Started as ``python -IS launch.py SOCKET SCRIPT``, so it imports of the standard library alone what
it needs: it is as quick as an interpreter can be. Where no warm process answers, it becomes the
plain ``python SCRIPT``.
"""

import json
import os
import socket
import sys

BACKLOG = 512
"""Launchers that may wait at once: more than a machine has cores."""


def main(address: str, script: str) -> int:
    """Return the exit code of the script; ``128 + signal`` if a signal ended it."""
    with socket.socket(socket.AF_UNIX) as link:
        try:
            link.connect(address)
        except OSError:
            os.execv(sys.executable, [sys.executable, script])  # noqa: S606 - no shell is wanted
        here = os.getcwd()  # noqa: PTH109 - pathlib takes longer to import than all the rest
        request = {"script": script, "cwd": here, "environ": dict(os.environ)}
        body = json.dumps(request).encode(errors="surrogateescape")
        # The files go with the length, so that they are there before the rest is read.
        socket.send_fds(link, [len(body).to_bytes(8, "big")], [0, 1, 2])
        link.sendall(body)
        answer = link.recv(8)
    # No answer means that the warm process was killed, and its forks with it.
    return int(answer) if answer else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
