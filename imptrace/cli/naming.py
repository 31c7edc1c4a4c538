"""Names that somebody gives a run: what could not be asked for by them is refused at once."""

import difflib

from imptrace.catalogue import shipped
from imptrace.db.records import LATEST
from imptrace.errors import UsageError

_ALMOST = 0.85
"""So alike are a name and its misspelling; names of one's own units are less like others."""


def check_label(label: str | None) -> None:
    """Refuse a label that means something else already. Raises UsageError."""
    if label is None:
        return
    _check_text("--label", label)
    if not label.strip():
        raise UsageError("--label is empty: give a name, or leave it out")
    if label.isdigit() or label == LATEST:
        raise UsageError(f"--label {label} would hide a run of that name: give one with a letter")


def check_service(service: str | None) -> None:
    """Refuse a service that is surely a misspelling of a known one. Raises UsageError.

    Units of one's own are in no catalogue: a name that is like no other is taken as it is.
    """
    if service is None:
        return
    _check_text("--service", service)
    if not service.strip():
        raise UsageError("--service is empty: name one, or leave it out")
    catalogue = shipped()
    if "." in service or catalogue.matching(service):
        return
    known = {name for entry in catalogue for name in (entry.id, *entry.aliases)}
    near = difflib.get_close_matches(service, known, n=1, cutoff=_ALMOST)
    if near:
        raise UsageError(
            f"no service {service!r} is known: did you mean {near[0]!r}? A unit of your own is "
            f"named with its ending: {service}.service"
        )


def _check_text(option: str, name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{option} is not UTF-8, so that it could not be asked for") from error
