"""`imptrace doctor`: what works here."""

import typer

from imptrace.cli.options import Database, Json

FOUND_SOMETHING = 1


def doctor(*, database: Database = None, json: Json = False) -> int:
    """Try what imptrace needs, and say what to do about what does not work. Exits 1 then.

    Example: imptrace doctor
    """
    from imptrace.record.doctor import Health, examine
    from imptrace.render import health

    findings = list(examine(database))
    typer.echo(health.as_json(findings) if json else health.as_text(findings))
    return FOUND_SOMETHING if any(each.health is Health.BROKEN for each in findings) else 0
