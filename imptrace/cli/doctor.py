"""`imptrace doctor`: what works here."""

from imptrace.cli.options import Database, Json
from imptrace.cli.output import answer, answer_json, screen
from imptrace.record.doctor import Health, examine
from imptrace.render import health

FOUND_SOMETHING = 1


def doctor(*, database: Database = None, json: Json = False) -> int:
    """Try what imptrace needs, and say what to do about the rest.

    Exits with 1 if something that it needs does not work.

    Example: imptrace doctor
    """
    findings = list(examine(database))
    if json:
        answer_json(health.as_json(findings))
    else:
        answer(health.as_text(findings, screen()), pager=False)
    return FOUND_SOMETHING if any(each.health is Health.BROKEN for each in findings) else 0
