import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { createActivitiesPass } from '../../src/app/daemon/activities-pass.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import type { MirrorTable } from '../../src/db/mirror/table.ts';
import { equalValues } from '../../src/domain/equal.ts';
import { type Json, parseJson } from '../../src/domain/json.ts';
import { partsOf } from '../../src/domain/told-value.ts';
import { anyDeed, type Deed, type Lived, live, OBJECTS } from '../support/lived-past.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

const NONE = Object.fromEntries(
  [...OBJECTS, 'task', 'message', 'meeting_recording'].map((object) => [object, 0]),
);
const kept = { fields: {}, history: true, activities: true, delete: 'push' } as const;

let workspace: TestWorkspace | null = null;

afterEach(async () => {
  await workspace?.stop();
  workspace = null;
});

/** A workspace in which all this happened before anybody here heard of it. */
async function openAfter(deeds: readonly Deed[]) {
  const clock = { nowMs: Date.now() - 200 * 86_400_000 };
  let lived: Lived = { schemas: [], past: new Map() };
  const opened = await openWorkspace({
    emulator: { sizes: NONE, clock: () => clock.nowMs },
    config: { objects: Object.fromEntries(OBJECTS.map((object) => [object, kept])) },
    prepareEmulator: ({ store, switches }) => {
      lived = live({ store, switches, clock }, deeds);
      clock.nowMs = Date.now();
    },
  });
  workspace = opened;
  return { workspace: opened, lived };
}

/** Every version that the history holds, numbers to the last digit. */
async function versionsOf({ sql }: TestWorkspace, object: string) {
  const rows = await sql(
    `SELECT to_jsonb(h)::text AS version, floor(extract(epoch FROM _valid_from) * 1000)::float8 AS from_ms,
            coalesce(ceil(extract(epoch FROM _valid_to) * 1000)::float8, 'infinity') AS to_ms
       FROM clarify_history.${object} AS h ORDER BY id, h._valid_from`,
  );
  return rows.map(({ version, from_ms, to_ms }) => ({
    version: partsOf(asJson(parseJson(String(version)))),
    fromMs: Number(from_ms),
    toMs: Number(to_ms),
  }));
}

function asJson(parsed: unknown): Json {
  return isJson(parsed) ? parsed : null;
}

function isJson(parsed: unknown): parsed is Json {
  return parsed !== undefined;
}

/** Where versions say something else than what was; and how much they say. */
function held(
  { columns, object }: MirrorTable,
  lived: Lived,
  versions: Awaited<ReturnType<typeof versionsOf>>,
) {
  const untrue: string[] = [];
  const count = { compared: 0, unknown: 0 };
  for (const { version, fromMs, toMs } of versions) {
    const id = version.get('id');
    const states = (typeof id === 'string' ? lived.past.get(id) : undefined) ?? [];
    const unknown = version.get('_unknown') ?? null;
    const extra = partsOf(version.get('_extra') ?? null);
    for (const [index, state] of states.entries()) {
      const untilMs = states[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY;
      if (untilMs <= fromMs || state.fromMs >= toMs) continue;
      for (const { field, column, parts } of columns) {
        const shown = version.get(column) ?? null;
        const was = state.fields.get(field.name) ?? null;
        if (Array.isArray(unknown) && unknown.some((name: Json) => name === column)) {
          count.unknown += 1;
          if (shown !== null) untrue.push(`${object}.${column} is unknown, and shown`);
          continue;
        }
        count.compared += 1;
        const told = extra.get(field.name) ?? shown;
        const partsFit = parts.every(
          ({ part, column: name }) => version.get(name) === (partsOf(shown).get(part.name) ?? null),
        );
        if (partsFit && equalValues(field, told, was)) continue;
        untrue.push(`${object}.${column}: ${JSON.stringify(told)}, not ${JSON.stringify(was)}`);
      }
    }
  }
  return { untrue, ...count };
}

const many: fc.Arbitrary<Deed[]> = fc.array(anyDeed, { minLength: 300, maxLength: 400 });
const deedsOf = (seed: number) => fc.sample(many, { numRuns: 1, seed })[0] ?? [];

test.each([1, 2, 3])(
  'what was before the first sync is what it was, in every field (%i)',
  { timeout: 120_000 },
  async (seed) => {
    const { workspace: opened, lived } = await openAfter(deedsOf(seed));
    const { session, signal, sql } = opened;
    await syncOnce(session, { signal });
    const total = { compared: 0, unknown: 0 };
    for (const table of session.tables) {
      if (!OBJECTS.some((one) => one === table.object)) continue;
      const versions = await versionsOf(opened, table.object);
      const { untrue, compared, unknown } = held(table, lived, versions);
      expect(untrue).toEqual([]);
      total.compared += compared;
      total.unknown += unknown;
      // Back to the creation of every record that is left.
      const unborn = await sql(
        `SELECT d.id FROM clarify.${table.object} AS d WHERE NOT EXISTS (
           SELECT FROM clarify_history.${table.object} AS h
            WHERE h.id = d.id AND h._reconstructed AND h._operation = 'insert'
              AND h._valid_from = d._created_at)`,
      );
      expect(unborn).toEqual([]);
    }
    expect(total.compared).toBeGreaterThan(500);
    expect(total.unknown).toBeLessThan(total.compared / 10);
  },
);

test('versions of a record neither overlap nor leave a gap, and one pass more changes nothing', async () => {
  const { session, signal, sql } = (await openAfter(deedsOf(4))).workspace;
  await syncOnce(session, { signal });
  const all = async () =>
    await sql(
      OBJECTS.map(
        (object) => `SELECT '${object}', to_jsonb(h)::text FROM clarify_history.${object} AS h`,
      ).join(' UNION ALL ') + ' ORDER BY 1, 2',
    );
  const before = await all();
  await sql('UPDATE clarify_sync.activity_feed SET past_at = NULL');
  await createActivitiesPass(session)({ signal, priority: 'backfill' });
  expect(await all()).toEqual(before);
  for (const object of OBJECTS) {
    const odd = await sql(
      `SELECT id FROM (SELECT *, lead(_valid_from) OVER (PARTITION BY id ORDER BY _valid_from) AS next
                         FROM clarify_history.${object}) AS h
        WHERE _valid_to IS DISTINCT FROM next OR _valid_to <= _valid_from`,
    );
    expect(odd).toEqual([]);
  }
});
