#!/bin/sh
# Software: pydantic 2.14.4 beside msgspec 0.23.0 and simplejson 4.3.0 (PyPI).
# A guess:  a field of type Decimal takes the digits that stand in the JSON, that is what it is for;
#           json.loads(…, parse_float=Decimal) and msgspec do.
# In truth: model_validate_json() reads a number with a point as a float first: 1234567890123456.7891
#           becomes Decimal('1234567890123456.8') and 1.10 becomes Decimal('1.1'), also in strict
#           mode and with decimal_places=4. Whole numbers keep their digits, as does
#           the same number in quotes, and Python's Decimal itself.
# Hurt:     services that declare Decimal for money and take what a database sends as JSON numbers
#           (to_jsonb of a numeric does); signatures over the text of an amount.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check pydantic==2.14.4 msgspec==0.23.0 simplejson==4.3.0
cat >see.py <<'PY'
from decimal import Decimal

import msgspec
import simplejson
from pydantic import BaseModel, ConfigDict, Field


class Deal(BaseModel):
    model_config = ConfigDict(strict=True)
    amount: Decimal = Field(max_digits=20, decimal_places=4)


class Struct(msgspec.Struct):
    amount: Decimal


def look(number, expected):
    text = f'{{"amount": {number}}}'
    seen = {
        "pydantic": Deal.model_validate_json(text).amount,
        "pydantic, quoted": Deal.model_validate_json(f'{{"amount": "{number}"}}').amount,
        "msgspec": msgspec.json.decode(text, type=Struct).amount,
        "simplejson": Decimal(simplejson.loads(text, use_decimal=True)["amount"]),
    }
    print(number, {name: str(value) for name, value in seen.items()})
    assert [str(value) for value in seen.values()] == [expected, number, number, number]


look("1234567890123456.7891", "1234567890123456.8")
look("1.10", "1.1")
look("1234567890123456", "1234567890123456")
PY
python/bin/python see.py
