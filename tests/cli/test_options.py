"""The command line repeats some names and defaults of the library, which it may not import for its help."""

import inspect

from fercomp.annotate.options import Options
from fercomp.cli.annotate import annotate


def test_defaults_of_annotate_are_those_of_the_library():
    asked = {name: option.default for name, option in inspect.signature(annotate).parameters.items()}
    for name in ("detector", "min_score", "min_size", "every", "video", "records", "views", "uncertain"):
        assert asked[name] == getattr(Options(), name), name
