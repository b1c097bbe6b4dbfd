"""What tests of `fercomp report` share: models with all their files, and the page read back."""

import base64
import hashlib
import json
import os
import re
import shutil
import time
from html.parser import HTMLParser

import pandas as pd

from fercomp.core.csv_table import write_csv
from fercomp.decisions.metrics import confusion, per_class
from fercomp.modeling.bundle.card import CARD, read_card
from fercomp.modeling.bundle.holdout import holdout_answers, read_holdout


def evaluate_tables(folder):
    """Writes the tables of `fercomp evaluate`, without its pictures."""
    card = read_card(folder)
    _, probabilities, labels = read_holdout(folder, card)
    decided, answers = holdout_answers(card, probabilities, labels), list(card.rule.answers)
    counted = pd.DataFrame(confusion(decided, labels, len(answers)), index=answers, columns=answers)
    write_csv(counted, folder / "confusion.csv", index_label="emotion")
    write_csv(per_class(decided, labels, answers), folder / "per_class.csv")


def copy_model(workspace, name, age, params=(), **card):
    """Makes another model of the tiny one, some seconds old, with other words on its card."""
    folder = workspace.bundle(name)
    shutil.copytree(workspace.bundle("tiny"), folder)
    values = json.loads((folder / CARD).read_text())
    values["trained"]["params"] |= dict(params)
    (folder / CARD).write_text(json.dumps({**values, **card}))
    os.utime(folder / CARD, (time.time() - age,) * 2)
    return folder


def sent(**row):
    """A row of the record of submissions."""
    known = {"time": "2026-11-01T10:00:00+00:00", "file": "x.csv", "status": "complete", "message": "tried"}
    return {**known, **row}


class Page(HTMLParser):
    """A page: rows of its tables by caption, its text, its scripts and style sheets, its policy."""

    def __init__(self, html):
        super().__init__()
        self.tables, self.text, self.tags, self.raw, self.policy = {}, "", [], {"script": [], "style": []}, ""
        self._inside, self._rows, self._open = None, [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.text += " "
        if dict(attributes).get("http-equiv") == "Content-Security-Policy":
            self.policy = dict(attributes)["content"]
        if tag == "table":
            self._rows, self._caption = [], ""
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")
        self._inside = tag if tag in ("script", "style", "caption", "td", "th") else self._inside

    def handle_endtag(self, tag):
        self.text += " "
        if tag == "table":
            self.tables[self._caption] = self._rows
        if tag == self._inside:
            self._inside = None

    def handle_data(self, data):
        if self._inside in self.raw:
            self.raw[self._inside].append(data)
            return
        self.text += data
        if self._inside == "caption":
            self._caption += data
        elif self._inside:
            self._rows[-1][-1] += data

    @property
    def known(self):
        """What the script reads."""
        return json.loads(self.raw["script"][0])

    def row(self, caption, name):
        """The row of a table that begins with a name, by heading."""
        head, *rows = self.tables[caption]
        return next(dict(zip(head, row, strict=True)) for row in rows if row[0] == name)


def hashes(policy, what):
    """The hashes that a policy allows scripts or styles to have."""
    return re.search(rf"{what}-src '(sha256-[^']+)'", policy)[1]


def sha(text):
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
