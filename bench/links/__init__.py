"""One night's sweep beside its peers, on a web of this machine.

`loads` says what is asked, `web` answers, `contenders` ask: the sweep, lychee and linkchecker, each in a process of its
own, in turns, in the same run. `targets` says what the figures are held to.
"""
