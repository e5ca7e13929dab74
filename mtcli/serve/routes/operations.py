"""What whoever runs the server asks: whether it is ready, what it does, what it speaks."""

from http import HTTPStatus

from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from mtcli.serve.interface import Call, Interface, Operation
from mtcli.serve.routes.libretranslate import LIBRETRANSLATE


class HealthAnswer(BaseModel):
    """`ok` with status 200; with 503 `loading`, `draining`, or `failed` and why."""

    status: str
    reason: str | None = None


async def health(call: Call) -> Response:
    """Say whether a translation would be answered now."""
    served = call.served
    if served.service.admission.is_draining:
        return JSONResponse({"status": "draining"}, HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "5"})
    if served.service.failure:
        reason = {"status": "failed", "reason": served.service.failure}
        return JSONResponse(reason, HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "30"})
    if not served.service.is_ready:
        return JSONResponse({"status": "loading"}, HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "1"})
    return JSONResponse({"status": "ok"})


async def metrics(call: Call) -> Response:
    """Tell Prometheus."""
    return Response(call.served.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


OPERATIONS = Interface(
    name="operations",
    error=LIBRETRANSLATE.error,
    error_schema=LIBRETRANSLATE.error_schema,
    operations=(
        Operation(
            method="GET",
            path="/health",
            summary="Say whether a translation would be answered now.",
            handler=health,
            gives=HealthAnswer,
            needs_key=False,
        ),
        Operation(
            method="GET",
            path="/metrics",
            summary="Tell Prometheus what was done and what is under way.",
            handler=metrics,
            media_type="text/plain",
        ),
    ),
)
