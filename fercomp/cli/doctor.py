"""`fercomp doctor`."""

import typer

from fercomp.cli.words import tell


def doctor() -> None:
    """Look at the installation, the machine and the data, and say what to do.

    Exit code 1 where something is broken. What is merely missing is a note.

    \b
    Examples:
      fercomp doctor
    """
    from fercomp.core.paths import Workspace
    from fercomp.core.terminal import show
    from fercomp.report.doctor import diagnose, findings_table

    findings = diagnose(Workspace())
    show(findings_table(findings))
    for finding in findings:
        if finding.remedy:  # a cell of a table would break its addresses and paths
            tell(f"{finding.subject}: {finding.remedy}")
    problems = [finding.subject for finding in findings if finding.state == "problem"]
    if problems:
        tell(f"Mend first: {', '.join(problems)}")
        raise typer.Exit(1)
    tell("Everything needed is there.")
