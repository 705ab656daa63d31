#!/bin/sh
# Software: @tanstack/db 0.15.2 (npm), queries over a collection in memory.
# A guess:  avg(), min() and max() pass over values that are missing, as SQL's do and as its own count() does.
# In truth: a missing number or date is a zero: the average of 10, nothing and 2 is 4 and the least of them is
#           0, though their count is 2; the greatest of -5 and nothing is 0; the first of two dates and nothing is
#           the number 0. Texts are right. After a left join each group without a partner has the minimum 0.
# Hurt:     figures over fields that not everybody fills in (amounts, ratings, close dates): averages too low, a
#           cheapest offer of nothing, and the same query in Postgres says otherwise.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent @tanstack/db@0.15.2
cat >see.mjs <<'JS'
import { deepStrictEqual } from 'node:assert';
import {
  avg, count, createCollection, createLiveQueryCollection, eq, localOnlyCollectionOptions, max, min, sum,
} from '@tanstack/db';

const collection = (id, rows) =>
  createCollection(localOnlyCollectionOptions({ id, getKey: (row) => row.id, initialData: rows }));
async function see(name, expected, query) {
  const live = createLiveQueryCollection({ query, startSync: true });
  await live.preload();
  const rows = live.toArray.map((row) => Object.fromEntries(Object.keys(expected[0]).map((key) => [key, row[key]])));
  console.log(name, JSON.stringify(rows));
  deepStrictEqual(rows, expected);
}

const deal = collection('deal', [
  { id: 'a', company: 'x', amount: 10, loss: -5, due: new Date(5), stage: 'b' },
  { id: 'b', company: 'x', amount: null, due: null, stage: null },
  { id: 'c', company: 'x', amount: 2, loss: -7, due: new Date(9), stage: 'a' },
]);
await see('amounts 10, none, 2:', [{ avg: 4, min: 0, max: 10, sum: 12, count: 2 }], (q) =>
  q.from({ deal }).select(({ deal: { amount } }) => ({
    avg: avg(amount), min: min(amount), max: max(amount), sum: sum(amount), count: count(amount),
  })),
);
await see('losses -5, none, -7:', [{ max: 0, min: -7 }], (q) =>
  q.from({ deal }).select(({ deal }) => ({ max: max(deal.loss), min: min(deal.loss) })),
);
await see('two dates and none:', [{ min: 0, max: new Date(9) }], (q) =>
  q.from({ deal }).select(({ deal }) => ({ min: min(deal.due), max: max(deal.due) })),
);
await see('texts b, none, a:', [{ min: 'a', max: 'b' }], (q) =>
  q.from({ deal }).select(({ deal }) => ({ min: min(deal.stage), max: max(deal.stage) })),
);
const company = collection('company', [{ id: 'x' }, { id: 'y' }]);
await see('per company:', [{ id: 'x', deals: 3, max: 10 }, { id: 'y', deals: 0, max: 0 }], (q) =>
  q
    .from({ company })
    .leftJoin({ deal }, ({ company, deal }) => eq(company.id, deal.company))
    .groupBy(({ company }) => company.id)
    .select(({ company, deal }) => ({ id: company.id, deals: count(deal?.id), max: max(deal?.amount) })),
);
process.exit(0);
JS
node see.mjs 2>log || {
  cat log
  exit 1
}
