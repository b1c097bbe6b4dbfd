"""`fercomp doctor`."""

from dataclasses import asdict

import typer

from fercomp.cli.options import AsJson
from fercomp.cli.words import tell, tell_json


def doctor(as_json: AsJson = False) -> None:
    """Look at the installation, the machine and the data, and say what to do.

    Exit code 1 where something is broken. What is optional is a note.

    \b
    Examples:
      fercomp doctor
      fercomp doctor --json
    """
    from fercomp.core.paths import Workspace
    from fercomp.core.terminal import console, show
    from fercomp.core.text_table import breaks_words
    from fercomp.stages.doctor import diagnose, findings_table

    findings = diagnose(Workspace())
    problems = [finding.subject for finding in findings if finding.state == "problem"]
    if as_json:
        tell_json([asdict(finding) for finding in findings])
        raise typer.Exit(bool(problems))
    table = findings_table(findings)
    if breaks_words(table, console()):
        for finding in findings:
            tell(f"{finding.subject}: {finding.state}, {finding.found}")
    else:
        show(table)
    for finding in findings:
        if finding.remedy:  # a cell of a table would break its addresses and paths
            tell(f"{finding.subject}: {finding.remedy}")
    if problems:
        tell(f"Mend first: {', '.join(problems)}")
        raise typer.Exit(1)
    tell("Everything needed is there.")
