"""A message is sent once, again where that may help, and its secret stays one."""

import logging
import traceback
from collections.abc import Iterator

import pytest

from pipeline import webhook
from pipeline.errors import AlertError
from pipeline.settings import Alerts
from tests.webhooks import SECRET_PATH, Webhook, serve_webhook


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    monkeypatch.setattr(webhook, "_FIRST_WAIT_SECONDS", 0.01)
    with serve_webhook() as served:
        yield served


def test_a_message_is_the_text_of_a_json_object(hook: Webhook) -> None:
    webhook.post(hook.url, "a night went wrong")
    assert hook.texts == ["a night went wrong"]
    assert hook.asked == [SECRET_PATH]


@pytest.mark.parametrize("answers", [[500], [503, 502], [429]])
def test_what_may_pass_is_tried_again(hook: Webhook, answers: list[int]) -> None:
    hook.answers = [*answers]
    webhook.post(hook.url, "again")
    assert hook.texts == ["again"]
    assert len(hook.asked) == len(answers) + 1


@pytest.mark.parametrize(
    ("answers", "asked", "told"),
    [
        ([404], 1, "refused the message (status 404)"),
        ([302], 1, "refused the message (status 302)"),
        ([500, 500, 500], 3, "did not take the message in 3 tries (status 500)"),
    ],
)
def test_a_refusal_is_told_without_the_secret(
    hook: Webhook, caplog: pytest.LogCaptureFixture, answers: list[int], asked: int, told: str
) -> None:
    caplog.set_level(logging.DEBUG)
    hook.answers = [*answers]
    with pytest.raises(AlertError) as caught:
        webhook.post(hook.url, "x")
    assert told in str(caught.value)
    assert len(hook.asked) == asked
    assert SECRET_PATH not in "".join(traceback.format_exception(caught.value)) + caplog.text


def test_nobody_listening_is_told_without_the_secret(hook: Webhook, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    nobody = f"http://127.0.0.1:1{SECRET_PATH}"
    for url, told in ((nobody, "did not take the message in 3 tries (ConnectionError)"), (f"//{SECRET_PATH}", "check")):
        with pytest.raises(AlertError) as caught:
            webhook.post(url, "x")
        assert told in str(caught.value)
        assert SECRET_PATH not in "".join(traceback.format_exception(caught.value)) + caplog.text


def test_secrets_are_taken_out_of_what_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLEDGER_WEBHOOK", "https://hooks.example/services/abc")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
    monkeypatch.setenv("SOME_TOKEN", "x")
    told = webhook.without_secrets(
        "https://hooks.example/services/abc said wJalrXUtnFEMI of https://me:pass@git.example/a.git and"
        " s3://bucket/x?X-Amz-Signature=123 (xylophone)"
    )
    assert told == "[hidden] said [hidden] of https://git.example/a.git and s3://bucket/x (xylophone)"


def test_no_variable_no_webhook(monkeypatch: pytest.MonkeyPatch) -> None:
    assert webhook.webhook_url(Alerts()) is None
    monkeypatch.setenv("NEWSLEDGER_WEBHOOK", "")
    assert webhook.webhook_url(Alerts()) is None
    monkeypatch.setenv("MY_HOOK", "https://hooks.example/x")
    assert webhook.webhook_url(Alerts(webhook_env="MY_HOOK")) == "https://hooks.example/x"
