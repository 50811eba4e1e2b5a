"""Runs a script of several statements: asyncpg takes one at a time."""

from __future__ import annotations

from alembic import op


def run(script: str) -> None:
    """Statements end with ";" at the end of a line; bodies between $$ are kept whole."""
    statement = ""
    for part in script.split(";\n"):
        statement += part
        if statement.count("$$") % 2:
            statement += ";\n"
            continue
        if statement.strip().strip(";").strip():
            op.execute(statement.strip().rstrip(";"))
        statement = ""
