"""`python -m pipeline.rehearsal web.yaml`: serve a table until Ctrl-C, and tell how to reach it with curl.

With `--well-known-ports`, on ports 80, 443 and 53 of the loopback, for programs that cannot be told of others: in a
network namespace of its own, say, whose resolv.conf names 127.0.0.1.
"""

import signal
import sys
from pathlib import Path

from pipeline.errors import RehearsalError
from pipeline.rehearsal import Places, Rehearsal, WellKnownPlaces, load_web, rehearse

_WELL_KNOWN = "--well-known-ports"
_STOPS = {signal.SIGINT, signal.SIGTERM}


def main(arguments: list[str]) -> int:
    files = [argument for argument in arguments if argument != _WELL_KNOWN]
    if len(files) != 1 or files[0].startswith("-"):
        print(f"usage: python -m pipeline.rehearsal [{_WELL_KNOWN}] web.yaml", file=sys.stderr)
        return 2
    try:
        web = load_web(Path(files[0]))
        # Waited for, not handled: a handler would run in the middle of whatever the main thread holds.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        with rehearse(web, WellKnownPlaces if _WELL_KNOWN in arguments else Places) as rehearsal:
            print("\n".join(_told(rehearsal)), flush=True)
            signal.sigwait(_STOPS)
    except RehearsalError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _told(rehearsal: Rehearsal) -> list[str]:
    """Lines that are a curl configuration as they stand: saved to a file, `curl -K file URL` reaches the small web."""
    return [
        "# Serving until Ctrl-C. Options for curl; save these lines to a file for curl -K file https://…",
        f"# Names: {', '.join(rehearsal.nameservers)} (UDP)",
        f'--cacert "{rehearsal.ca_file}"',
        *(f'--connect-to "{source}:{target}"' for source, target in rehearsal.connect_to.items()),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
