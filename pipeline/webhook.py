"""One message to a Slack-compatible webhook: JSON with a `text`, sent by requests, tried again where that may help.

The URL is a secret. It comes from the environment, and neither an error nor a log ever holds it: what requests says of
a failure does, so only the kind of its errors is told.
"""

import logging
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import requests

from pipeline.errors import AlertError
from pipeline.settings import Alerts

TRIES = 3
_TIMEOUT_SECONDS = (5, 10)
_FIRST_WAIT_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 10.0
_HIDDEN = "[hidden]"
_SECRET_NAME = re.compile("secret|token|passw|credential|private|webhook|api_?key|access_?key", re.IGNORECASE)
_SHORTEST_SECRET = 6
_USERINFO = re.compile(r"(://)[^/\s@]*@")
_QUERY = re.compile(r"(://[^\s?#]*)\?[^\s'\")]*")


def webhook_url(alerts: Alerts) -> str | None:
    """The webhook that the environment names, if it does."""
    return os.environ.get(alerts.webhook_env) or None


def without_secrets(text: str) -> str:
    """`text` without users, passwords and queries of URLs, and without any value that the environment keeps secret."""
    for name, value in os.environ.items():
        if _SECRET_NAME.search(name) and len(value) >= _SHORTEST_SECRET:
            text = text.replace(value, _HIDDEN)
    return _QUERY.sub(r"\1", _USERINFO.sub(r"\1", text))


def post(url: str, text: str) -> None:
    """Send `text`. Raises AlertError, which names no more of the webhook than its host."""
    host = urlsplit(url).hostname or "no host"
    why = ""
    for attempt in range(TRIES):
        with _silent(), requests.Session() as session:
            session.auth = lambda request: request  # else requests would look into the user's netrc
            try:
                answer = session.post(url, json={"text": text}, timeout=_TIMEOUT_SECONDS, allow_redirects=False)
            except (requests.ConnectionError, requests.Timeout) as error:
                why, wait = type(error).__name__, None
            except (requests.RequestException, ValueError) as error:
                raise AlertError(f"the webhook cannot be used ({type(error).__name__}); check its URL") from None
            else:
                if answer.ok and not answer.is_redirect:
                    return
                why, wait = f"status {answer.status_code}", answer.headers.get("Retry-After")
                if answer.status_code != 429 and answer.status_code < 500:
                    raise AlertError(f"the webhook at {host} refused the message ({why}); check its URL")
        if attempt + 1 < TRIES:
            time.sleep(_waiting(attempt, wait))
    raise AlertError(f"the webhook at {host} did not take the message in {TRIES} tries ({why})")


def _waiting(attempt: int, asked_for: str | None) -> float:
    wanted = float(asked_for) if asked_for and asked_for.isdecimal() else _FIRST_WAIT_SECONDS * (1 << attempt)
    return min(wanted, _LONGEST_WAIT_SECONDS)


@contextmanager
def _silent() -> Iterator[None]:
    """urllib3 logs the path that it asks, which is the secret part of a webhook."""
    loggers = [logging.getLogger(name) for name in ("urllib3.connectionpool", "urllib3.util.retry")]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled
