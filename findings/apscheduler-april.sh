#!/bin/sh
# Software: APScheduler 3.11.3, tzdata 2026.6 (PyPI).
# A guess:  "0 0 1 * *" fires at 00:00 on the first of every month: midnight exists on each of them,
#           and no clock turns on any of those days.
# In truth: after the run of the 1st of March comes the one of the 1st of May. Stepping over the
#           month in which summer time begins, the trigger adds a difference of wall clocks to an
#           instant, lands at 01:00 and goes on to the next month. So in New York and Oslo the run of
#           April is left out, as are the Monday run of the week in which the clocks turned and the
#           daily run of the day after it. Times of day from 01:00 on are right.
# Hurt:     monthly invoices, quotas, retention: a month without its run, and no error.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check apscheduler==3.11.3 tzdata==2026.6
cat >see.py <<'PY'
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger


def runs(expression, zone, since, count):
    """As the scheduler asks: the previous run, and a moment after it as now."""
    trigger = CronTrigger.from_crontab(expression, timezone=ZoneInfo(zone))
    now = datetime.fromisoformat(since).replace(tzinfo=ZoneInfo(zone))
    previous, found = None, []
    for _ in range(count):
        previous = trigger.get_next_fire_time(previous, now)
        now = previous.astimezone(timezone.utc) + timedelta(milliseconds=20)
        found.append(previous.strftime("%m-%d %H:%M"))
    print(f"{zone} {expression!r}:", *found, sep="  ")
    return found


for zone in ("Europe/Oslo", "America/New_York"):
    assert runs("0 0 1 * *", zone, "2026-02-20", 3) == ["03-01 00:00", "05-01 00:00", "06-01 00:00"]
    assert runs("5 1 1 * *", zone, "2026-02-20", 3) == ["03-01 01:05", "04-01 01:05", "05-01 01:05"]
weekly = runs("0 0 * * mon", "Europe/Oslo", "2026-03-20", 3)
assert weekly == ["03-23 00:00", "04-06 00:00", "04-13 00:00"]
daily = runs("0 0 * * *", "Europe/Oslo", "2026-03-28", 3)
assert daily == ["03-28 00:00", "03-29 00:00", "03-31 00:00"]
PY
python/bin/python see.py
