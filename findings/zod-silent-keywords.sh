#!/bin/sh
# Software: zod 4.6.7, beside ajv 8.20.0 (npm).
# A guess:  z.fromJSONSchema() makes a schema that takes what the JSON Schema takes, and raises where it cannot: it does
#           for `not`, `if`, `dependentRequired` and `unevaluatedProperties`.
# In truth: some keywords are passed over without a word. `required` holds only for names that are in `properties`; without
#           `type` neither `required` nor `properties` nor `minimum` means anything; `minItems` and `maxItems` need `items`
#           beside them; "a or b is required", as anyOf, takes an object with neither. An object as `const` is
#           never matched. (By its documentation the function is experimental; of this it says nothing.)
# Hurt:     services and tools that check what comes in against somebody else's schema: what it forbids passes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent zod@4.6.7 ajv@8.20.0
cat >see.mjs <<'JS'
import { deepStrictEqual } from 'node:assert';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { fromJSONSchema } from 'zod';

const ajv = new Ajv2020({ strict: false });
const object = { type: 'object', properties: { mail: { type: 'string' }, phone: { type: 'string' } } };
for (const [schema, value, byZod, byAjv] of [
  [{ type: 'object', required: ['id'] }, {}, true, false],
  [{ type: 'object', properties: { a: {} }, required: ['id'] }, {}, true, false],
  [{ properties: { a: { type: 'string' } } }, { a: 1 }, true, false],
  [{ minimum: 5 }, 1, true, false],
  [{ type: 'array', minItems: 1 }, [], true, false],
  [{ type: 'array', items: {}, minItems: 1 }, [], false, false],
  [{ ...object, anyOf: [{ required: ['mail'] }, { required: ['phone'] }] }, {}, true, false],
  [{ const: { a: 1 } }, { a: 1 }, false, true],
]) {
  const seen = [fromJSONSchema(schema).safeParse(value).success, ajv.validate(schema, value)];
  console.log(JSON.stringify(schema), JSON.stringify(value), 'zod:', seen[0], 'ajv:', seen[1]);
  deepStrictEqual(seen, [byZod, byAjv]);
}
for (const schema of [{ not: { type: 'string' } }, { type: 'object', dependentRequired: { a: ['b'] } }]) {
  try {
    fromJSONSchema(schema);
  } catch (error) {
    console.log(JSON.stringify(schema), error.message);
    continue;
  }
  throw new Error('it was converted');
}
JS
node see.mjs
