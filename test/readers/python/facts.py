"""What the scripts beside this one share: the questions, and one line of JSON as the answer."""

import json
import os
from decimal import Decimal

url = os.environ["DATABASE_URL"]
# SQLAlchemy knows no scheme `postgres`.
sqlalchemy_url = url.replace("postgres://", "postgresql://", 1).replace(
    "postgresql://", "postgresql+psycopg://", 1
)
DEALS = "select stage, amount, probability, close_date, _created_at from clarify.deal order by _key"
PEOPLE = "select interests, name, lead_score from clarify.person order by lead_score nulls first"
OPEN = ("Discovery", "Negotiation", "Proposal")


def weighted(rows):
    """Question 1 of docs/analytics.md, from rows of stage and product."""
    sums = {stage: Decimal(0) for stage in OPEN}
    for stage, product in rows:
        if stage in sums and product is not None:
            sums[stage] += product
    return {stage: str(total.normalize()) for stage, total in sums.items()}


def attempt(work):
    """What the work gives, or the name of what it raises."""
    try:
        return work()
    except Exception as error:
        return type(error).__name__


def lists(values):
    """How many are missing, and how many have nothing in them."""
    missing = sum(value is None for value in values)
    return {"missing": missing, "empty": sum(value is not None and len(value) == 0 for value in values)}


def emit(**facts):
    print(json.dumps(facts, default=str))
