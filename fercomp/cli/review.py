"""`fercomp review`."""

from fercomp.cli.options import Browser, Port
from fercomp.cli.words import say_next, tell


def review(port: Port = 0, browser: Browser = True) -> None:
    """Look through the suggested labels in a local page, the worst given labels first.

    Every decision goes to datasets/review.jsonl at once; the next `fercomp relabel` applies them. The page
    is served on this machine, to this machine only. Ctrl-C ends it; the next time it goes on from there.

    \b
    Examples:
      fercomp review
      fercomp review --no-browser --port 8000
    """
    from fercomp.core.csv_table import existing
    from fercomp.core.paths import Workspace
    from fercomp.core.progress import count
    from fercomp.core.tables import LABELS, PHOTOS
    from fercomp.labels.journal import Journal
    from fercomp.web.local import Access, serve
    from fercomp.web.review import Review, review_app

    workspace = Workspace()
    labels, photos = LABELS.read(workspace.labels), PHOTOS.read(workspace.photos)
    access = Access()
    with Journal(workspace.reviewed) as journal:
        page = review_app(Review(photos, labels, workspace.raw, journal), access)
        serve(page, access, port, browser, tell)
        tell(f"decided: {count(len(journal.decided), 'photo')}")
        # Without a cross-validation, `relabel` asks the model that the user names.
        say_next("fercomp relabel" if existing(workspace.oof).is_file() else "fercomp relabel --model NAME")
