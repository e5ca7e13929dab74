"""What a client is told when it cannot have what it wants: a status, a sentence, and when to come again."""

from http import HTTPStatus


class RefusalError(Exception):
    """A request is not answered; each interface says so in its own form.

    Attributes:
        status: of the HTTP answer.
        sentence: for the client.
        retry_after: seconds after which it may come again; None where that would not help.
    """

    def __init__(self, status: HTTPStatus, sentence: str, retry_after: int | None = None) -> None:
        """Refuse with a sentence for the client."""
        super().__init__(sentence)
        self.status, self.sentence, self.retry_after = status, sentence, retry_after


def bad_request(sentence: str) -> RefusalError:
    """The request itself is wrong."""
    return RefusalError(HTTPStatus.BAD_REQUEST, sentence)


def not_found(sentence: str) -> RefusalError:
    """There is no such thing here."""
    return RefusalError(HTTPStatus.NOT_FOUND, sentence)


def too_large(what: str, most: int) -> RefusalError:
    """A body has more bytes than are taken."""
    return RefusalError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The {what} is larger than {most:,} bytes, the most allowed here."
    )


def too_busy(retry_after: int) -> RefusalError:
    """The queue is full."""
    return RefusalError(
        HTTPStatus.TOO_MANY_REQUESTS, f"Slowdown: the queue is full. Come again in {retry_after} s.", retry_after
    )


def draining() -> RefusalError:
    """The server ends."""
    return RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, "The server is shutting down. Come again soon.", 5)
