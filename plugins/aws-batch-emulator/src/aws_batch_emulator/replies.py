"""Replies in the forms the services give, errors included."""

import json
import socket
from collections.abc import Callable, Iterable
from typing import Any
from xml.sax.saxutils import escape

StartResponse = Callable[..., Any]

# These speak REST with JSON, and name errors in a header.
REST_SERVICES = ("batch", "imagebuilder")
# These speak the JSON protocol, which names errors in the body.
JSON_SERVICES = (
    "budgets",
    "dynamodb",
    "ecr",
    "ecs",
    "events",
    "kms",
    "logs",
    "pricing",
    "secretsmanager",
    "servicequotas",
    "ssm",
)


def send_json(
    start_response: StartResponse, payload: object, status: str = "200 OK", error: str | None = None
) -> list[bytes]:
    """Send a JSON reply; `error` names the exception of a refused call."""
    body = json.dumps(payload, separators=(",", ":")).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    if error is not None:
        headers.append(("x-amzn-ErrorType", error))
    start_response(status, headers)
    return [body]


def send_text(start_response: StartResponse, text: str, status: str = "200 OK") -> list[bytes]:
    """Send plain text."""
    body = text.encode()
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
    start_response(status, headers)
    return [body]


def send_throttled(start_response: StartResponse, service: str) -> list[bytes]:
    """Refuse a call for its rate, with the error that its service gives."""
    if service == "s3":
        return send_xml(
            start_response,
            "503 Slow Down",
            "<Error>" + xml_error("SlowDown", "Please reduce your request rate.") + "</Error>",
        )
    if service == "batch":
        error, message = "TooManyRequestsException", "Too Many Requests"
        return send_json(start_response, {"message": message}, "429 Too Many Requests", error)
    if service in JSON_SERVICES:
        error = "ThrottlingException"
        return send_json(
            start_response, {"__type": error, "message": "Rate exceeded"}, "400 Bad Request", error
        )
    return send_xml(
        start_response,
        "400 Bad Request",
        f"<ErrorResponse><Error><Type>Sender</Type>{xml_error('Throttling', 'Rate exceeded')}"
        "</Error></ErrorResponse>",
    )


def drop_connection(environ: dict[str, Any], reply: Iterable[bytes]) -> list[bytes]:
    """Close the connection instead of sending the reply of a call that was carried out."""
    for _ in reply:
        pass  # the application has done its work once its reply is read
    connection: socket.socket = environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError("the reply is lost")


def xml_error(code: str, message: str) -> str:
    """Return an error's code and message as XML."""
    return f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"


def send_xml(
    start_response: StartResponse,
    status: str,
    body: str,
    more_headers: Iterable[tuple[str, str]] = (),
) -> list[bytes]:
    """Send an XML reply."""
    data = f'<?xml version="1.0" encoding="UTF-8"?>{body}'.encode()
    headers = [("Content-Type", "application/xml"), ("Content-Length", str(len(data)))]
    start_response(status, [*headers, *more_headers])
    return [data]
