"""The page that `fercomp report` writes: what it shows, section by section, and how it looks."""
