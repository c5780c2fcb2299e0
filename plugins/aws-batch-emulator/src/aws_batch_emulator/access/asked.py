"""A request as it came, read once: what it calls, of what, and with which arguments."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, unquote

from aws_batch_emulator.calls import Call, read_body, split_s3_path


@dataclass(frozen=True)
class Asked:
    """One signed call and its arguments.

    Parameters
    ----------
    call
        Service, action, Region.
    account_id
        The account that everything is in.
    environ
        The WSGI request; its body stays readable.
    """

    call: Call
    account_id: str
    environ: dict[str, Any]

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's parameters, the first value of each."""
        text = self.environ.get("QUERY_STRING", "")
        return {key: values[0] for key, values in parse_qs(text, keep_blank_values=True).items()}

    @cached_property
    def form(self) -> dict[str, str]:
        """The parameters of a form-encoded call (CloudFormation, IAM, EC2, STS)."""
        fields = parse_qs(self.body.decode(), keep_blank_values=True)
        return {key: values[0] for key, values in fields.items()}

    @cached_property
    def json(self) -> Mapping[str, Any]:
        """The arguments of a JSON call; empty where the body is none."""
        try:
            read = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return read if isinstance(read, dict) else {}

    @cached_property
    def body(self) -> bytes:
        """The body as it came."""
        return read_body(self.environ)

    @cached_property
    def bucket_and_key(self) -> tuple[str, str]:
        """Bucket and key of a call of S3, each empty where the call names none."""
        return split_s3_path(self.environ)

    @property
    def copied(self) -> str | None:
        """Bucket/key that a copy of S3 reads."""
        source = self.environ.get("HTTP_X_AMZ_COPY_SOURCE")
        return unquote(source).lstrip("/").partition("?")[0] if source else None

    def arn(self, resource: str, service: str | None = None, *, regional: bool = True) -> str:
        """Return the ARN of a resource of this account, by default of the call's own service."""
        region = self.call.region if regional else ""
        return f"arn:aws:{service or self.call.service}:{region}:{self.account_id}:{resource}"
