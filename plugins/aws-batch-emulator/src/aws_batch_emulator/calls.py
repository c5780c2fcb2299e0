"""Which AWS call a request is, and how many of each there were (decision 72)."""

import io
import threading
from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

# What Batch's paths, `/v1/submitjob`, are called in the API.
_BATCH_ACTIONS = {
    "canceljob": "CancelJob",
    "createcomputeenvironment": "CreateComputeEnvironment",
    "createjobqueue": "CreateJobQueue",
    "deletecomputeenvironment": "DeleteComputeEnvironment",
    "deletejobqueue": "DeleteJobQueue",
    "deregisterjobdefinition": "DeregisterJobDefinition",
    "describecomputeenvironments": "DescribeComputeEnvironments",
    "describejobdefinitions": "DescribeJobDefinitions",
    "describejobqueues": "DescribeJobQueues",
    "describejobs": "DescribeJobs",
    "listjobs": "ListJobs",
    "registerjobdefinition": "RegisterJobDefinition",
    "submitjob": "SubmitJob",
    "terminatejob": "TerminateJob",
    "updatecomputeenvironment": "UpdateComputeEnvironment",
    "updatejobqueue": "UpdateJobQueue",
}
# The S3 actions that a sub-resource in the query stands for; the first one present decides.
_S3_SUBRESOURCES = {
    ("GET", "list-type"): "ListObjectsV2",
    ("GET", "versions"): "ListObjectVersions",
    ("GET", "uploads"): "ListMultipartUploads",
    ("GET", "uploadId"): "ListParts",
    ("GET", "location"): "GetBucketLocation",
    ("GET", "policy"): "GetBucketPolicy",
    ("PUT", "policy"): "PutBucketPolicy",
    ("DELETE", "policy"): "DeleteBucketPolicy",
    ("GET", "lifecycle"): "GetBucketLifecycleConfiguration",
    ("PUT", "lifecycle"): "PutBucketLifecycleConfiguration",
    ("GET", "encryption"): "GetBucketEncryption",
    ("PUT", "encryption"): "PutBucketEncryption",
    ("GET", "publicAccessBlock"): "GetPublicAccessBlock",
    ("PUT", "publicAccessBlock"): "PutPublicAccessBlock",
    ("GET", "versioning"): "GetBucketVersioning",
    ("PUT", "versioning"): "PutBucketVersioning",
    ("GET", "ownershipControls"): "GetBucketOwnershipControls",
    ("PUT", "ownershipControls"): "PutBucketOwnershipControls",
    ("GET", "tagging"): "GetObjectTagging",
    ("POST", "delete"): "DeleteObjects",
    ("POST", "uploads"): "CreateMultipartUpload",
    ("POST", "uploadId"): "CompleteMultipartUpload",
    ("PUT", "partNumber"): "UploadPart",
    ("PUT", "tagging"): "PutObjectTagging",
    ("DELETE", "uploadId"): "AbortMultipartUpload",
}
_S3_OBJECT = {
    "GET": "GetObject",
    "HEAD": "HeadObject",
    "PUT": "PutObject",
    "DELETE": "DeleteObject",
    "POST": "PostObject",
}
_S3_BUCKET = {
    "GET": "ListObjects",
    "HEAD": "HeadBucket",
    "PUT": "CreateBucket",
    "DELETE": "DeleteBucket",
    "POST": "PostObject",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One signed request: who called what."""

    service: str
    action: str
    region: str
    key_id: str

    def __str__(self) -> str:
        """Return `service:Action`, as IAM writes it."""
        return f"{self.service}:{self.action}"


def identify(environ: dict[str, Any]) -> Call | None:
    """Tell which AWS call a WSGI request is; None for a request that is not signed."""
    scope = _credential_scope(environ)
    if scope is None:
        return None
    key_id, region, service = scope
    return Call(service, _action(service, environ), region, key_id)


def _credential_scope(environ: dict[str, Any]) -> tuple[str, str, str] | None:
    """Return key id, region and service from the signature in the header or the query."""
    header: str = environ.get("HTTP_AUTHORIZATION", "")
    if "Credential=" in header:
        credential = header.split("Credential=", 1)[1].split(",", 1)[0]
    else:
        query = parse_qs(environ.get("QUERY_STRING", ""))
        credential = query.get("X-Amz-Credential", [""])[0]
    parts = credential.strip().split("/")
    return (parts[0], parts[2], parts[3]) if len(parts) == 5 else None


def _action(service: str, environ: dict[str, Any]) -> str:
    method: str = environ["REQUEST_METHOD"]
    path: str = environ.get("PATH_INFO", "")
    if service == "s3":
        return _s3_action(method, environ)
    if service == "batch":
        name = path.removeprefix("/v1/").partition("/")[0]
        if name == "tags":
            return {"GET": "ListTagsForResource", "POST": "TagResource"}.get(
                method, "UntagResource"
            )
        return _BATCH_ACTIONS.get(name, name)
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return str(target).rpartition(".")[2]
    return _form_action(environ) or f"{method} {path}"


def split_s3_path(environ: dict[str, Any]) -> tuple[str, str]:
    """Return bucket and key of a request to S3; the bucket may stand in the host's name."""
    path: str = environ.get("PATH_INFO", "").lstrip("/")
    host, _, rest = environ.get("HTTP_HOST", "").partition(".s3.")
    if rest.partition(":")[0].endswith("amazonaws.com"):
        return host, path
    bucket, _, key = path.partition("/")
    return bucket, key


def _s3_action(method: str, environ: dict[str, Any]) -> str:
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    for (its_method, parameter), action in _S3_SUBRESOURCES.items():
        if method == its_method and parameter in query:
            return action
    bucket, key = split_s3_path(environ)
    if not bucket:
        return "ListBuckets"
    if not key:
        return _S3_BUCKET.get(method, method)
    if method == "PUT" and "HTTP_X_AMZ_COPY_SOURCE" in environ:
        return "CopyObject"
    return _S3_OBJECT.get(method, method)


def _form_action(environ: dict[str, Any]) -> str | None:
    """Return the Action of a form-encoded call (CloudFormation, IAM, EC2, STS)."""
    if not environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return None
    body = read_body(environ)
    return parse_qs(body.decode()).get("Action", [None])[0]


def read_body(environ: dict[str, Any]) -> bytes:
    """Read a request's body and leave it readable for the application behind."""
    chunked = environ.get("wsgi.input_terminated", False)
    body: bytes = environ["wsgi.input"].read(
        -1 if chunked else int(environ.get("CONTENT_LENGTH") or 0)
    )
    environ["wsgi.input"] = io.BytesIO(body)
    return body


class CallLog:
    """Counts calls by origin and name."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, Counter[str]] = {"user": Counter(), "job": Counter()}

    def add(self, call: Call, origin: str) -> None:
        """Count one call of the `user` or of a `job`."""
        with self._lock:
            self._counts[origin][str(call)] += 1

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the counts: origin -> `service:Action` -> calls."""
        with self._lock:
            return {origin: dict(counter) for origin, counter in self._counts.items()}

    def reset(self) -> None:
        """Start counting from zero."""
        with self._lock:
            for counter in self._counts.values():
                counter.clear()
