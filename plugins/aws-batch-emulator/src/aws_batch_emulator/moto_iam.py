"""Whose a key is and what policies say of whom, read from moto's IAM, STS and S3."""

import functools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from aws_batch_emulator.access.policies import Policy

if TYPE_CHECKING:
    from moto.iam.models import IAMBackend

_EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "Everything", "Effect": "Allow", "Action": "*", "Resource": "*"}],
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed a request.

    Parameters
    ----------
    arn
        Of the user, or of the session of a role.
    owner_arn
        Of the user, or of the role: what a resource's policy names.
    name
        Of the user or of the role.
    is_role
        Whether it is a session of a role.
    token
        Session token that must come with every request; None for a user's own key.
    expires
        When the session ends.
    """

    arn: str
    owner_arn: str
    name: str
    is_role: bool
    token: str | None = None
    expires: datetime | None = None


def find_caller(key_id: str) -> Caller | None:
    """Find out whose an access key is; None if it is nobody's."""
    if key_id.startswith("ASIA"):
        return _find_session(key_id)
    user = _iam().get_user_from_access_key_id(key_id)
    return None if user is None else Caller(user.arn, user.arn, user.name, False)


@functools.lru_cache(maxsize=65536)  # moto looks through all sessions there ever were
def _find_session(key_id: str) -> Caller | None:
    session = _sts().get_assumed_role_from_access_key(key_id)
    if session is None:
        return None
    expires = session.expiration.replace(tzinfo=UTC)
    name = session.role_arn.rpartition("/")[2]
    return Caller(session.arn, session.role_arn, name, True, session.session_token, expires)


def policies_of(caller: Caller) -> list[Policy]:
    """Return the policies of a user and its groups, or of a role; none if it is gone."""
    return [policy for owner in _owners(caller) for policy in _attached(owner)]


def boundary_of(caller: Caller) -> Policy | None:
    """Return the permissions boundary of a role, if it has one."""
    for owner in _owners(caller)[:1]:
        arn = getattr(owner, "permissions_boundary_arn", None)
        if arn:
            return _managed(_iam().get_policy(arn))
    return None


def policy_of_bucket(bucket: str) -> list[Policy]:
    """Return the policy of a bucket, if it has one."""
    found = get_backend("s3")[DEFAULT_ACCOUNT_ID]["aws"].buckets.get(bucket)
    if found is None or not found.policy:
        return []
    return [Policy.from_json(f"bucket {bucket}", found.policy.decode())]


def trust_of(role_arn: str) -> Policy | None:
    """Return the policy that says who may take a role; None if there is no such role."""
    for role in _iam().get_roles():
        if role.arn == role_arn:
            return Policy.from_json(
                f"trust of {role.name}", _text(role.assume_role_policy_document)
            )
    return None


def start_session(role_arn: str, name: str, region: str, duration_s: int) -> dict[str, str]:
    """Give out keys of a role, in the form in which the credentials end points do."""
    session = _sts().assume_role(
        region_name=region,
        role_session_name=name,
        role_arn=role_arn,
        policy=None,
        duration=duration_s,
        external_id=None,
    )
    return {
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "Token": session.session_token,
        "Expiration": session.expiration.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "RoleArn": role_arn,
    }


def add_user(name: str, key_id: str, secret: str, *, administrator: bool) -> None:
    """Add a user with a key; one that is no administrator may do nothing yet."""
    iam = _iam()
    iam.create_user("us-east-1", name)
    if administrator:
        iam.put_user_policy(name, "administrator", json.dumps(_EVERYTHING))
    key = iam.create_access_key(name)
    del iam.access_keys[key.access_key_id]
    key.access_key_id, key.secret_access_key = key_id, secret
    iam.access_keys[key_id] = key


def attach(user: str, policies: Sequence[str]) -> None:
    """Attach managed policies to a user, each given by name or ARN.

    Raises
    ------
    ValueError
        If there is no such user or policy.
    """
    iam = _iam()
    arns = {policy.name: arn for arn, policy in iam.managed_policies.items()}
    for policy in policies:
        arn = policy if policy.startswith("arn:") else arns.get(policy)
        if user not in iam.users or arn not in iam.managed_policies:
            raise ValueError(f"there is no user {user} or no managed policy {policy}")
        iam.attach_user_policy(arn, user)


def _owners(caller: Caller) -> list[Any]:
    iam = _iam()
    if caller.is_role:
        return [role for role in iam.get_roles() if role.arn == caller.owner_arn]
    user = iam.users.get(caller.name)
    return [] if user is None else [user, *iam.get_groups_for_user(caller.name)]


def _attached(owner: Any) -> Iterable[Policy]:  # noqa: ANN401 - moto's user, group or role
    for name, document in owner.policies.items():
        yield Policy.from_json(name, _text(document))
    for policy in owner.managed_policies.values():
        yield _managed(policy)


def _managed(policy: Any) -> Policy:  # noqa: ANN401 - moto's managed policy
    version = next(v for v in policy.versions if v.version_id == policy.default_version_id)
    return Policy.from_json(policy.name, _text(version.document))


def _text(document: Any) -> str:  # noqa: ANN401 - moto keeps text or what it parsed
    return document if isinstance(document, str) else json.dumps(document)


def _iam() -> "IAMBackend":
    backend: IAMBackend = get_backend("iam")[DEFAULT_ACCOUNT_ID]["aws"]
    return backend


def _sts() -> Any:  # noqa: ANN401 - moto's
    return get_backend("sts")[DEFAULT_ACCOUNT_ID]["aws"]
