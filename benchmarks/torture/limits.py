"""Few descriptors, closed ones, ignored signals: exit code and files as ever."""

from benchmarks.torture.trials import RECORDERS, Places, Tally, against_disk, recorded, run

LIMITS = {
    "20 descriptors": "ulimit -n 20", "64 descriptors": "ulimit -n 64",
    "no stdin": "exec <&-", "no stdout": "exec >&-", "nothing open": "exec <&- >&- 2>&-",
    "ignored signals": "trap '' HUP INT QUIT TERM", "1 MB stack": "ulimit -s 1024",
}  # fmt: skip
SCRIPT = "for i in 1 2 3 4 5 6 7 8; do (sleep .1; echo > $i.a; mv $i.a $i.b) & done; wait; exit 7"


def limits(tally: Tally, places: Places, *, short: bool) -> None:
    """Try each start once with each recorder."""
    chosen = dict(list(LIMITS.items())[:1]) if short else LIMITS
    for recorder in RECORDERS[: 1 if short else None]:
        for name, prelude in chosen.items():
            with places.fresh() as place:
                words = recorded(place, "sh", "-c", SCRIPT, recorder=recorder)
                done = run(["bash", "-c", f'{prelude}; "$@"', "bash", *words], place)
                failure = f"exit {done.returncode}" if done.returncode != 7 else None
                tally.note(f"{name}, {recorder}", failure or against_disk(place))
