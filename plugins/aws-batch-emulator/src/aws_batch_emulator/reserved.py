"""Names that AWS keeps for itself, which moto takes.

S3 user guide, "General purpose bucket naming rules"; CloudFormation API reference, "Tag".
"""

from aws_batch_emulator.access.asked import Asked
from aws_batch_emulator.replies import StartResponse, send_xml, xml_error

_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_TAGGING = ("CreateChangeSet", "CreateStack", "UpdateStack")


def refuse(asked: Asked, start_response: StartResponse) -> list[bytes] | None:
    """Answer a call that gives such a name; None for every other one."""
    call = asked.call
    if str(call) == "s3:CreateBucket":
        name, _ = asked.bucket_and_key
        if name.startswith(_PREFIXES) or name.endswith(_SUFFIXES):
            error = xml_error("InvalidBucketName", "The specified bucket is not valid.")
            return send_xml(start_response, "400 Bad Request", f"<Error>{error}</Error>")
    if call.service == "cloudformation" and call.action in _TAGGING:
        keys = [value for key, value in asked.form.items() if key.endswith(".Key")]
        if any(key.lower().startswith("aws:") for key in keys):
            says = "aws: prefixed tag key names are not allowed for external use."
            error = f"<Type>Sender</Type>{xml_error('ValidationError', says)}"
            body = f"<ErrorResponse><Error>{error}</Error></ErrorResponse>"
            return send_xml(start_response, "400 Bad Request", body)
    return None
