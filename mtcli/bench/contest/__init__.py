"""Contests: contestants take turns in rounds, are found right before they are timed, and are compared within a round.

One core for kernels, decoding and training, in `mtcli bench` and in benchmarks/. Needs no torch; `timing` and `memory`
beside it do, and take the device as a parameter.

A contestant is any object with a `name` unlike all others', and if need be a `kind`: of contestants of one kind a user
would take the best. The device, if there is one, is known to the `measure` function alone.

    contest = Contest(contestants, measure, better=max, left=budget.left, say=print_to_stderr, save=write_what_is_known)
    contest.check(ask)                 # ask(contestant) -> Checks; who fails one gets no figure and no ratio
    contest.warm_up(prepare, size=..., rounds_to_come=2)      # optional: in order, as far as the time suffices
    contest.rounds(5, finalists_only=True)                    # every other round backwards
    for one in contest.series:         # one Series for each contestant, in the order given
        one.status, one.why            # "right" | "wrong" | "cannot run" | "out of memory" | "left out"
        one.taken, one.median          # figures of the rounds it ran; `figures` maps a round's number to its figure
        one.ratio(contest["mtcli"])    # median of the ratios within the rounds that both ran; None without one
        one.as_json(reference)         # {"status", "why", "rounds": [...], "median", "min", "max", "ratio"}

`measure(contestant)` returns the figure (a rate or a time), or a function that reads it at the end of the round, as
events of a GPU are read. What stops a contestant is a `ContestantError(why, status)`, raised by `ask`, `prepare` or
`measure`; any other error ends the contest. `Figure` and `Check` (pydantic, frozen) are what records hold of it.
"""

from mtcli.bench.contest.figures import Check, Figure, Status
from mtcli.bench.contest.rounds import Contest, ContestantError
from mtcli.bench.contest.series import Contestant, Series, finalists

__all__ = ["Check", "Contest", "Contestant", "ContestantError", "Figure", "Series", "Status", "finalists"]
