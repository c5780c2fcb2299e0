"""Stands before the services: a call that its caller may not make never reaches them."""

import io
from collections.abc import Callable, Iterable
from typing import Any
from xml.sax.saxutils import escape

from aws_batch_emulator.access.asked import Asked
from aws_batch_emulator.access.denials import Refusal, send_refusal
from aws_batch_emulator.access.gate import Gate
from aws_batch_emulator.access.s3_needs import keys_to_delete
from aws_batch_emulator.moto_iam import Caller
from aws_batch_emulator.replies import StartResponse, send_xml

Service = Callable[[Asked, StartResponse], Iterable[bytes]]
_DELETE_REPLY = "<DeleteResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>"


class Guard:
    """Lets what a gate lets through to a service."""

    def __init__(self, gate: Gate, service: Service) -> None:
        self._gate = gate
        self._service = service

    def answer(self, asked: Asked, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a call: refuse it, or have the service answer."""

        def refuse(refusal: Refusal) -> Iterable[bytes]:
            asked.body  # noqa: B018 - read, or the connection's next request would begin in it
            method = asked.environ["REQUEST_METHOD"]
            return send_refusal(start_response, asked.call, refusal, method)

        caller = self._gate.caller(asked)
        if isinstance(caller, Refusal):
            return refuse(caller)
        refused = self._gate.refusals(asked, caller)
        if refused and str(asked.call) == "s3:DeleteObjects":
            return self._delete_the_rest(asked, start_response, {r.resource for r, _ in refused})
        if refused:
            return refuse(refused[0][1])
        if str(asked.call) in ("s3:GetObject", "s3:HeadObject"):
            return self._hide_what_is_missing(asked, caller, start_response, refuse)
        return self._service(asked, start_response)

    def _hide_what_is_missing(
        self,
        asked: Asked,
        caller: Caller,
        start_response: StartResponse,
        refuse: Callable[[Refusal], Iterable[bytes]],
    ) -> Iterable[bytes]:
        held: list[tuple[Any, ...]] = []

        def hold(*reply: Any) -> None:  # noqa: ANN401 - as WSGI has it
            held.append(reply)

        body = self._service(asked, hold)
        if held[0][0].startswith("404") and (refusal := self._gate.hides(asked, caller)):
            for _ in body:
                pass
            return refuse(refusal)
        start_response(*held[0])
        return body

    def _delete_the_rest(
        self, asked: Asked, start_response: StartResponse, refused: set[str | None]
    ) -> Iterable[bytes]:
        """Delete what may be deleted; the rest are errors in a reply that is a success."""
        bucket, _ = asked.bucket_and_key
        keys = [key for key, _ in keys_to_delete(asked.body)]
        kept = [key for key in keys if f"arn:aws:s3:::{bucket}/{key}" in refused]
        others = [key for key in keys if key not in kept]
        deleted = b""
        if others:
            objects = "".join(f"<Object><Key>{escape(key)}</Key></Object>" for key in others)
            body = f"<Delete>{objects}</Delete>".encode()
            replaced = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
            asked.environ.update(replaced)
            reply = b"".join(self._service(asked, lambda *_: None)).decode()
            deleted = reply.partition("<DeleteResult")[2].partition(">")[2].encode()
        errors = "".join(
            f"<Error><Key>{escape(key)}</Key><Code>AccessDenied</Code>"
            "<Message>Access Denied</Message></Error>"
            for key in kept
        )
        rest = deleted.decode() or "</DeleteResult>"
        return send_xml(start_response, "200 OK", f"{_DELETE_REPLY}{errors}{rest}")
