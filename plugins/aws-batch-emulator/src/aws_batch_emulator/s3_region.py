"""S3 answers for a bucket in its own Region alone.

API reference, "Error responses": AuthorizationHeaderMalformed (400) where a request is signed for
another Region, PermanentRedirect (301) where it is sent to another one. Both name the right one.
"""

from aws_batch_emulator import moto_seams
from aws_batch_emulator.access.asked import Asked
from aws_batch_emulator.replies import StartResponse, send_xml, xml_error

_ANYWHERE = ("CreateBucket", "GetBucketLocation")


def redirect(asked: Asked, start_response: StartResponse) -> list[bytes] | None:
    """Answer a call that is not for the Region of its bucket; None for every other one."""
    call = asked.call
    bucket, _ = asked.bucket_and_key
    if call.service != "s3" or not bucket or call.action in _ANYWHERE:
        return None
    region = moto_seams.region_of_bucket(bucket)
    if region in (None, call.region):
        return None
    if _host_region(asked) in ("", region):
        status, code = "400 Bad Request", "AuthorizationHeaderMalformed"
        says = f"The authorization header is malformed; the region '{call.region}' is wrong; "
        error = xml_error(code, f"{says}expecting '{region}'") + f"<Region>{region}</Region>"
    else:
        status, code = "301 Moved Permanently", "PermanentRedirect"
        says = (
            "The bucket you are attempting to access must be addressed using the specified "
            "endpoint. Please send all future requests to this endpoint."
        )
        place = f"{bucket}.s3.{region}.amazonaws.com"
        error = xml_error(code, says) + f"<Endpoint>{place}</Endpoint><Bucket>{bucket}</Bucket>"
    headers = [("x-amz-bucket-region", str(region))]
    body = send_xml(start_response, status, f"<Error>{error}</Error>", headers)
    return [] if asked.environ["REQUEST_METHOD"] == "HEAD" else body


def _host_region(asked: Asked) -> str:
    """Return the Region in the name of the host; empty for the emulator's own end point."""
    name = asked.environ.get("HTTP_HOST", "").partition(":")[0]
    before, _, _ = name.partition(".amazonaws.com")
    return before.rpartition(".")[2] if ".amazonaws.com" in name else ""
