"""What a link was on its last good night raises a doubt, and its host's random path settles it."""

from dataclasses import dataclass, replace

import pytest

from pipeline.links.doubts import Doubts
from tests.hostile_web.night import due_url

KNOWN = replace(due_url("http://a.example/story"), page_title="Tide", page_fingerprint="was")


@dataclass(frozen=True)
class Seen:
    """The final answer to a URL."""

    title: str | None
    fingerprint: str | None
    request_url: str = KNOWN.fetch_url
    http_status: int | None = 200
    challenge: str | None = None


@pytest.mark.parametrize(
    ("seen", "is_odd"),
    [
        (Seen("a.example is for sale", "parked"), True),
        (Seen(None, "parked"), True),
        (Seen("Tide", "edited"), False),
        (Seen("Tide, updated", "was"), False),
        (Seen("a.example is for sale", None), False),
    ],
)
def test_another_page_under_another_title_is_odd(seen: Seen, is_odd: bool) -> None:
    raised = Doubts("r1").hear(KNOWN, seen)
    assert (raised.probe is not None) is is_odd
    assert raised.second_looks == ()


def test_a_page_that_was_never_seen_before_is_not_odd_by_itself() -> None:
    assert Doubts("r1").hear(due_url(KNOWN.fetch_url), Seen("For sale", "parked")).probe is None


def test_the_random_path_settles_it() -> None:
    doubts = Doubts("r1")
    seen = Seen("a.example is for sale", "parked")
    probe = doubts.hear(KNOWN, seen).probe
    assert probe is not None
    assert doubts.hear_probe(probe, replace(seen, request_url=probe.fetch_url)) == (KNOWN,)
