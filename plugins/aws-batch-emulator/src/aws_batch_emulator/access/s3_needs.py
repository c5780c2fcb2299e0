"""What the calls of S3 need (S3 user guide, "Required permissions for S3 API operations")."""

from xml.etree import ElementTree

from aws_batch_emulator.access.asked import Asked
from aws_batch_emulator.access.policies import Request

_OF_OBJECTS = {
    "GetObject": "GetObject",
    "HeadObject": "GetObject",
    "PutObject": "PutObject",
    "PostObject": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "AbortMultipartUpload": "AbortMultipartUpload",
    "ListParts": "ListMultipartUploadParts",
    "DeleteObject": "DeleteObject",
    "GetObjectTagging": "GetObjectTagging",
    "PutObjectTagging": "PutObjectTagging",
    "DeleteObjectTagging": "DeleteObjectTagging",
}
_OF_BUCKETS = {
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}
# Keys of the query that conditions of ListBucket may ask for.
_LISTING = {"prefix": "s3:prefix", "delimiter": "s3:delimiter", "max-keys": "s3:max-keys"}


def s3_needs(asked: Asked) -> list[Request]:
    """Return the requests that a call of S3 stands for."""
    action, (bucket, key) = asked.call.action, asked.bucket_and_key
    context = transport(asked)
    arn = f"arn:aws:s3:::{bucket}"
    if not bucket:
        return [Request("s3:ListAllMyBuckets", "*", context)]
    if action == "DeleteObjects":
        return [
            Request(_versioned("DeleteObject", version), f"{arn}/{name}", context)
            for name, version in keys_to_delete(asked.body)
        ]
    if action in _OF_OBJECTS:
        name = _versioned(_OF_OBJECTS[action], asked.query.get("versionId"))
        needed = [Request(name, f"{arn}/{key}", context)]
        if asked.copied:
            needed.append(Request("s3:GetObject", f"arn:aws:s3:::{asked.copied}", context))
        return needed
    listing = {k: asked.query[name] for name, k in _LISTING.items() if name in asked.query}
    return [Request(f"s3:{_OF_BUCKETS.get(action, action)}", arn, context | listing)]


def may_list(asked: Asked) -> Request:
    """Return what decides between "no such key" and "access denied" of an object that is not there.

    GetObject and HeadObject, "Permissions": 404 for who may list the bucket, 403 for others.
    """
    return Request("s3:ListBucket", f"arn:aws:s3:::{asked.bucket_and_key[0]}", transport(asked))


def transport(asked: Asked) -> dict[str, object]:
    """Return what a bucket's policy may ask of the connection.

    The emulator's own end point stands for AWS's, which is reached over TLS; what comes under one
    of AWS's names is told as it came.
    """
    own = "amazonaws.com" not in asked.environ.get("HTTP_HOST", "")
    version = "1.3" if own else asked.environ.get("emulator.tls_version")
    secure: dict[str, object] = {"aws:securetransport": own or version is not None}
    return secure if version is None else {**secure, "s3:tlsversion": version}


def keys_to_delete(body: bytes) -> list[tuple[str, str | None]]:
    """Return the keys of a DeleteObjects call, each with its version if one is named."""
    root = ElementTree.fromstring(body)  # noqa: S314 - from a client on this machine
    found = []
    for item in root.iter():
        if item.tag.rpartition("}")[2] == "Object":
            parts = {part.tag.rpartition("}")[2]: part.text or "" for part in item}
            found.append((parts.get("Key", ""), parts.get("VersionId")))
    return found


def _versioned(action: str, version: str | None) -> str:
    if version and action in ("GetObject", "DeleteObject"):
        action += "Version"
    return f"s3:{action}"
