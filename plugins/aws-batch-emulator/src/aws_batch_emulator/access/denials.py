"""How the services word a refusal of who calls, or of what the caller may not do."""

from collections.abc import Iterable
from dataclasses import dataclass

from aws_batch_emulator.access.policies import Decision, Request
from aws_batch_emulator.calls import Call
from aws_batch_emulator.replies import (
    JSON_SERVICES,
    REST_SERVICES,
    StartResponse,
    send_json,
    send_xml,
    xml_error,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal, with the error code of each family of services.

    The families: S3, EC2, those with errors in JSON, and the query services (CloudFormation, IAM,
    STS, SNS).
    """

    message: str
    s3: tuple[str, str]
    ec2: tuple[str, str]
    json: str
    query: str


def denied(arn: str, request: Request, decision: Decision, service: str) -> Refusal:
    """Return the refusal of a request that policies do not allow, or deny."""
    resource = f'"{request.resource}"' if service == "s3" else request.resource
    message = (
        f"User: {arn} is not authorized to perform: {request.action} on resource: {resource} "
        f"{decision.reason}"
    )
    if service == "ec2":
        message = f"You are not authorized to perform this operation. {message}"
    return Refusal(
        message,
        s3=("403 Forbidden", "AccessDenied"),
        ec2=("403 Forbidden", "UnauthorizedOperation"),
        json="AccessDeniedException",
        query="AccessDenied",
    )


def unknown_key(service: str) -> Refusal:
    """Return the refusal of a key that is nobody's, or comes without its token."""
    words = {
        "s3": "The AWS Access Key Id you provided does not exist in our records.",
        "ec2": "AWS was not able to validate the provided access credentials",
    }
    return Refusal(
        words.get(service, "The security token included in the request is invalid."),
        s3=("403 Forbidden", "InvalidAccessKeyId"),
        ec2=("401 Unauthorized", "AuthFailure"),
        json="UnrecognizedClientException",
        query="InvalidClientTokenId",
    )


def expired(service: str) -> Refusal:
    """Return the refusal of a session that is over."""
    words = {"s3": "The provided token has expired."}
    return Refusal(
        words.get(service, "The security token included in the request is expired"),
        s3=("400 Bad Request", "ExpiredToken"),
        ec2=("400 Bad Request", "RequestExpired"),
        json="ExpiredTokenException",
        query="ExpiredToken",
    )


def send_refusal(
    start_response: StartResponse, call: Call, refusal: Refusal, method: str
) -> Iterable[bytes]:
    """Send a refusal in the form of its service."""
    if call.service in REST_SERVICES:
        body = {"message": refusal.message}
        return send_json(start_response, body, "403 Forbidden", refusal.json)
    if call.service in JSON_SERVICES:
        typed = {"__type": refusal.json, "message": refusal.message}
        return send_json(start_response, typed, "400 Bad Request", refusal.json)
    if call.service == "s3":
        status, code = refusal.s3
        reply = send_xml(
            start_response, status, f"<Error>{xml_error(code, refusal.message)}</Error>"
        )
        # A body that nobody reads would be taken for the connection's next reply.
        return [] if method == "HEAD" else reply
    if call.service == "ec2":
        status, code = refusal.ec2
        error = f"<Errors><Error>{xml_error(code, refusal.message)}</Error></Errors>"
        return send_xml(
            start_response, status, f"<Response>{error}<RequestID>emulated</RequestID></Response>"
        )
    error = f"<Error><Type>Sender</Type>{xml_error(refusal.query, refusal.message)}</Error>"
    return send_xml(start_response, "403 Forbidden", f"<ErrorResponse>{error}</ErrorResponse>")
