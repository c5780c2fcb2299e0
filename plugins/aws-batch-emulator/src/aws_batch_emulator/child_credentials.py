"""The credentials end point of the children: each has the keys of its own job's role, for a while.

On a machine of ECS it is ``http://169.254.170.2``, and a container is told the path by
AWS_CONTAINER_CREDENTIALS_RELATIVE_URI. Here it is told the whole address by
AWS_CONTAINER_CREDENTIALS_FULL_URI, which the SDKs ask as well.
"""

import threading
from collections.abc import Mapping
from typing import Any

from aws_batch_emulator import moto_iam
from aws_batch_emulator.access.policies import Request, decide

SESSION_S = 6 * 3600
_TAKER = {"Service": "ecs-tasks.amazonaws.com"}


class ChildCredentials:
    """The roles of the tasks that run or ran, and the keys that were given out for them."""

    def __init__(self, region: str, account_id: str) -> None:
        self._region = region
        self._account_id = account_id
        self._lock = threading.Lock()
        self._roles: dict[str, str] = {}
        self._given: dict[str, dict[str, str]] = {}
        self._keys: set[str] = set()
        self._tasks: dict[str, dict[str, Any]] = {}

    def describe(self, task_id: str, facts: Mapping[str, Any]) -> None:
        """Let a task on Fargate ask what it is."""
        with self._lock:
            self._tasks[task_id] = dict(facts)

    def register(self, task_id: str, role_arn: str) -> None:
        """Let a task ask for keys of a role."""
        with self._lock:
            self._roles[task_id] = role_arn

    def answer(self, path: str) -> dict[str, str] | None:
        """Answer one request to the end point; None for a task that has no role.

        `path` is what follows CREDENTIALS_PATH.
        """
        with self._lock:
            role = self._roles.get(path)
            if role is None:
                return None
            if path not in self._given:
                keys = moto_iam.start_session(role, path, self._region, SESSION_S)
                self._given[path] = keys
                self._keys.add(keys["AccessKeyId"])
            return self._given[path]

    def task(self, path: str) -> dict[str, Any] | None:
        """Answer one request to the task metadata end point, version 4; None for what is not there.

        `path` is the task's id, then nothing (the container) or ``task``.
        """
        task_id, _, item = path.partition("/")
        if not task_id or item not in ("", "task"):
            return None
        arn = f"arn:aws:ecs:{self._region}:{self._account_id}:task/AWSBatch/{task_id}"
        told = self._tasks.get(task_id, {}) if item else {"DockerId": task_id}
        return {"TaskARN": arn, "Cluster": "AWSBatch", **told}

    def origin(self, key_id: str) -> str:
        """Return whether a key is one of a ``job`` or of a ``user``."""
        return "job" if key_id in self._keys else "user"

    def can_take(self, role_arn: str) -> bool:
        """Whether the role's trust lets a task of this account take it."""
        trust = moto_iam.trust_of(role_arn)
        if trust is None:
            return False
        context: dict[str, Any] = {"aws:sourceaccount": self._account_id}
        request = Request("sts:AssumeRole", None, context, _TAKER)
        return decide(request, [trust]).allowed
