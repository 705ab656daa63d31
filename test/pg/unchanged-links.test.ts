import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readLinkedPage } from '../../src/conflicts/link-pages.ts';
import { ownViews } from '../../src/db/mirror/links.ts';
import type { RemoteRecord } from '../../src/domain/record.ts';
import { readWhole } from '../../src/pull/read-whole.ts';
import { type KizenWorkspace, openKizen } from '../support/kizen-workspace.ts';
import { messagesPerPage } from '../support/messages.ts';

// Links of records that are recognised are looked at each time, whatever was done to their tables since.

const signal = new AbortController().signal;
const OBJECT = 'client_client';
const CONTACTS = 50;
const SEPARATORS = ["E'\\x1f'", "E'\\x1e'"] as const;
let workspace: KizenWorkspace;

beforeAll(async () => {
  const sizes = { companies: 4, [OBJECT]: CONTACTS, deals: 30, projects: 12 };
  workspace = await openKizen({ sizes, switches: { pageMax: 20 } });
  await workspace.sync();
  await round();
  await round();
}, 60_000);
afterAll(() => workspace.stop());

function contacts() {
  const table = workspace.session.tables.find((one) => one.object === OBJECT);
  if (table === undefined) throw new Error('no contacts');
  return table;
}

async function round() {
  const how = { signal, priority: 'pull' } as const;
  const { state, counts } = await readWhole(workspace.session, contacts(), how);
  const { linked, unlinked, updated } = counts;
  return { state, linked, unlinked, updated };
}

/** Those of the first page. */
async function unrecognised(): Promise<string[]> {
  const limit = workspace.session.remote.limits.pageSize;
  const request = { orderBy: 'position', direction: 'asc', offset: 0, limit } as const;
  const how = { depth: 'all', recognises: true, signal, priority: 'pull' } as const;
  const { records } = await readLinkedPage(workspace.session, contacts(), request, how);
  return records.flatMap(({ id, isUnchanged }: RemoteRecord) => (isUnchanged ? [] : [id]));
}

/** The tables that contacts fill, with the objects at their other ends. */
function tables() {
  const views = ownViews(workspace.session.links, OBJECT);
  if (views.length < 2) throw new Error('contacts have two kinds of links');
  return views.map(({ link, here, there }) => {
    return { name: link.name, here: here.column, there: there.column, other: there.object };
  });
}
type Table = ReturnType<typeof tables>[number];

async function standing(): Promise<string[][]> {
  const all: string[][] = [];
  for (const { name, here, there } of tables()) {
    const rows = await workspace.sql(
      `SELECT ${here} || ' ' || ${there} AS pair FROM kizen.${name}
        WHERE ${there} NOT LIKE 'local:%' ORDER BY 1`,
    );
    all.push(rows.map(({ pair }) => String(pair)));
  }
  return all;
}

/** What somebody may do to a link table; `seed` chooses rows, `few` says how many. */
const EDITS = {
  remove: ({ name, here, there }, { seed, few }) =>
    `DELETE FROM kizen.${name} WHERE (${here}, ${there}) IN (
       SELECT ${here}, ${there} FROM kizen.${name} ORDER BY md5(${here} || ${there} || '${seed}') LIMIT ${few})`,
  add: ({ name, other }, { seed, few }) =>
    `INSERT INTO kizen.${name}
     SELECT c.id, o.id FROM kizen.${OBJECT} AS c, kizen.${other} AS o
      ORDER BY md5(c.id || o.id || '${seed}') LIMIT ${few} ON CONFLICT DO NOTHING`,
  move: ({ name, here, there }, { seed, few }) =>
    `UPDATE kizen.${name} SET ${there} = ${there} || ' ${seed}' WHERE (${here}, ${there}) IN (
       SELECT ${here}, ${there} FROM kizen.${name} ORDER BY md5(${there} || ${here} || '${seed}') LIMIT ${few})`,
  touch: ({ name, there }) => `UPDATE kizen.${name} SET ${there} = ${there}`,
  join: ({ name, here, there }, { seed }) =>
    `WITH gone AS (DELETE FROM kizen.${name} RETURNING *)
     INSERT INTO kizen.${name}
     SELECT ${here}, string_agg(${there}, ${SEPARATORS[seed % 2] ?? ''} ORDER BY ${there}) FROM gone GROUP BY 1`,
  empty: ({ name }) => `TRUNCATE kizen.${name}`,
  rewrite: ({ name }) => `VACUUM FULL kizen.${name}`,
  anew: ({ name, here, there }, { seed, few }) =>
    `BEGIN;
     CREATE TABLE kizen.anew (LIKE kizen.${name} INCLUDING ALL);
     INSERT INTO kizen.anew SELECT * FROM kizen.${name} ORDER BY md5(${here} || ${there} || '${seed}') OFFSET ${few - 1};
     DROP TABLE kizen.${name};
     ALTER TABLE kizen.anew RENAME TO ${name};
     COMMIT`,
  local: ({ name, here }, { seed }) =>
    `INSERT INTO kizen.${name} SELECT id AS ${here}, 'local:${seed}' FROM kizen.${OBJECT} ON CONFLICT DO NOTHING`,
} as const satisfies Record<string, (table: Table, how: { seed: number; few: number }) => string>;

const kinds = Object.keys(EDITS) as (keyof typeof EDITS)[];
const edit = fc.record({
  table: fc.nat(1),
  kind: fc.constantFrom(...kinds),
  how: fc.record({ seed: fc.nat(999), few: fc.integer({ min: 1, max: 4 }) }),
});

test('a page whose records and links are as they were takes a look, and a note that it was read', async () => {
  const work = async (deps: KizenWorkspace['session']) => {
    const { state, counts } = await readWhole(deps, contacts(), { signal, priority: 'pull' });
    expect(state).toBe('ok');
    return counts.requests;
  };
  expect(await messagesPerPage(workspace.session, { sizes: [20, 10], work })).toBe(2);
});

test('a link that waits to be sent is left as it is', async () => {
  const [table] = tables();
  if (table === undefined) throw new Error('no table');
  const { name, here, there } = table;
  const [row] = await workspace.sql(
    `SELECT ${here} AS here, ${there} AS there FROM kizen.${name} WHERE ${there} NOT LIKE 'local:%' LIMIT 1`,
  );
  const pair = [row?.['here'], row?.['there']];
  const count = async () =>
    (await workspace.sql(`SELECT FROM kizen.${name} WHERE ${here} = $1 AND ${there} = $2`, pair))
      .length;
  await workspace.sql(`DELETE FROM kizen.${name} WHERE ${here} = $1 AND ${there} = $2`, pair);
  expect(await unrecognised()).toEqual([]);
  expect(await round()).toMatchObject({ state: 'ok', linked: 0, unlinked: 0 });
  expect(await count()).toBe(0);
  // Taken back and settled, and long ago.
  await workspace.sql(`INSERT INTO kizen.${name} (${here}, ${there}) VALUES ($1, $2)`, pair);
  await workspace.sync();
  await workspace.ageRows();
  await round();
  await round();
});

test('whatever is done to link tables past every trigger, the next reading finds it', {
  timeout: 180_000,
}, async () => {
  const before = await standing();
  expect(before.every((pairs) => pairs.length > 5)).toBe(true);
  const history = fc.array(edit, { minLength: 1, maxLength: 4 });
  const property = fc.asyncProperty(history, async (edits) => {
    for (const { table, kind, how } of edits) {
      const chosen = tables()[table];
      if (chosen === undefined) throw new Error('no such table');
      await workspace.sql('SET session_replication_role = replica');
      await workspace.sql(EDITS[kind](chosen, how));
      await workspace.sql('RESET session_replication_role');
    }
    const after = await standing();
    const lost = after.map((pairs, index) => without(before[index], pairs).length);
    const extra = after.map((pairs, index) => without(pairs, before[index]).length);
    expect(await unrecognised()).toEqual([]);
    expect(await round()).toEqual({
      state: 'ok',
      linked: sum(lost),
      unlinked: sum(extra),
      updated: 0,
    });
    expect(await standing()).toEqual(before);
  });
  await fc.assert(property, {
    numRuns: 25,
    examples: kinds.map((kind) => [[{ table: 0, kind, how: { seed: 1, few: 3 } }]]),
  });
});

function without(pairs: readonly string[] = [], others: readonly string[] = []): string[] {
  const known = new Set(others);
  return pairs.filter((pair) => !known.has(pair));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
