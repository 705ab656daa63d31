import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stages, tags } from '../../src/emulator/attio/standard-objects.ts';
import { openSyncedAttio, type SyncedAttio } from '../support/attio-session.ts';

// What Attio kept of every value, as states at instants before anybody here heard of the records.

const DAY_MS = 86_400_000;
const kept = { fields: {}, history: true, activities: true, delete: 'push' } as const;

/** One thing that somebody does; numbers choose among what there is. */
const anyDeed = fc.record({
  record: fc.nat(7),
  field: fc.nat(),
  value: fc.nat(40),
  isCleared: fc.nat(5).map((n) => n === 0),
  pauseMs: fc.integer({ min: 1, max: 3 * DAY_MS }),
});
type Deed = typeof anyDeed extends fc.Arbitrary<infer T> ? T : never;

/** What a field is given, and what the mirror shows of it. */
type Given = readonly [written: unknown, shown: unknown];

const FIELDS: Readonly<
  Record<string, Readonly<Record<string, (n: number, ids: string[]) => Given>>>
> = {
  deals: {
    name: (n) => [`Deal ${n}`, `Deal ${n}`],
    stage: (n) => [stages[n % stages.length], stages[n % stages.length]],
    value: (n) => [n / 4, n / 4],
    associated_company: (n, ids) => {
      const id = ids[n % ids.length] ?? '';
      return [{ target_object: 'companies', target_record_id: id }, id];
    },
  },
  projects: {
    name: (n) => [`Project ${n}`, `Project ${n}`],
    hours: (n) => [n, n],
    active: (n) => [n % 2 === 0, n % 2 === 0],
    starts_on: (n) => {
      const day = `2026-03-${String((n % 28) + 1).padStart(2, '0')}`;
      return [day, day];
    },
    tags: (n) => {
      const some = [...new Set([tags[n % tags.length], tags[(n * 7) % tags.length]])];
      return [some, some];
    },
  },
};
const REQUIRED = new Set(['name', 'stage']);

/** Options are a set: in which order they stood at a time nobody tells. */
function unordered(shown: unknown): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(shown ?? {}).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.toSorted((a, b) => String(a).localeCompare(String(b))) : value,
    ]),
  );
}

interface State {
  readonly fromMs: number;
  readonly shown: Readonly<Record<string, unknown>>;
}

/** Does it all in the workspace. @returns by object and id what each record was, and since when. */
function live({ store }: SyncedAttio['emulator'], deeds: readonly Deed[]) {
  const past = new Map<string, Map<string, State[]>>();
  let nowMs = Date.now() - 300 * DAY_MS;
  const companies = ['Acme', 'Globex', 'Initech'].map((name) =>
    store.create('companies', { name }, { at: nowMs - DAY_MS }),
  );
  for (const [object, fields] of Object.entries(FIELDS)) {
    const records = new Map<string, State[]>();
    past.set(object, records);
    for (const deed of deeds) {
      nowMs += deed.pauseMs;
      const names = Object.keys(fields);
      const [id, states] = [...records][deed.record] ?? [null, []];
      const last = states.at(-1)?.shown ?? {};
      const give = (name: string): Given => fields[name]?.(deed.value, companies) ?? [null, null];
      if (id === null) {
        const born = names.filter((name, n) => REQUIRED.has(name) || (deed.field >> n) % 2 === 0);
        const written = Object.fromEntries(born.map((name) => [name, give(name)[0]]));
        const shown = Object.fromEntries(
          names.map((name) => [name, born.includes(name) ? give(name)[1] : null]),
        );
        const fresh = store.create(object, written as never, { at: nowMs });
        records.set(fresh, [{ fromMs: nowMs, shown }]);
        continue;
      }
      const name = names[deed.field % names.length] ?? '';
      const isCleared = deed.isCleared && !REQUIRED.has(name);
      const [written, shown] = isCleared ? [[], null] : give(name);
      store.update(object, id, { [name]: written } as never, { at: nowMs });
      states.push({ fromMs: nowMs, shown: { ...last, [name]: shown } });
    }
  }
  return past;
}

test.each([1, 2, 3])(
  'deals and projects are at past instants what they were (%i)',
  { timeout: 120_000 },
  async (seed) => {
    const attio = await openSyncedAttio(
      { sizes: { companies: 0, people: 0, deals: 0, projects: 0 } },
      { objects: { deals: kept, projects: kept } },
    );
    try {
      const deeds = fc.sample(fc.array(anyDeed, { minLength: 70, maxLength: 90 }), {
        numRuns: 1,
        seed,
      });
      const past = live(attio.emulator, deeds[0] ?? []);
      await attio.sync();
      expect(await attio.sql('SELECT object, part, code FROM attio_sync.trouble')).toEqual([]);
      let compared = 0;
      for (const [object, records] of past) {
        const columns = Object.keys(FIELDS[object] ?? {});
        const told = await attio.sql(
          `SELECT id, extract(epoch FROM _valid_from)::float8 * 1000 AS from_ms,
                  extract(epoch FROM coalesce(_valid_to, 'infinity'))::float8 * 1000 AS to_ms,
                  _unknown AS unknown, _operation AS operation, to_jsonb(h) AS shown
             FROM attio_history.${object} AS h ORDER BY id, h._valid_from`,
        );
        for (const [id, states] of records) {
          const versions = told.filter((row) => row['id'] === id);
          expect(versions[0]).toMatchObject({ operation: 'insert' });
          expect(
            Math.abs(Number(versions[0]?.['from_ms']) - (states[0]?.fromMs ?? 0)),
          ).toBeLessThan(1);
          for (const [n, { fromMs, shown }] of states.entries()) {
            const untilMs = states[n + 1]?.fromMs ?? Date.now();
            const atMs = (fromMs + untilMs) / 2;
            const then = versions.filter(
              (row) => Number(row['from_ms']) <= atMs && atMs < Number(row['to_ms']),
            );
            expect(then).toHaveLength(1);
            // All that a workspace of Attio holds has a past.
            expect(then[0]?.['unknown'] ?? []).not.toEqual(expect.arrayContaining(columns));
            expect(unordered(then[0]?.['shown'])).toMatchObject(unordered(shown));
            compared += 1;
          }
        }
      }
      expect(compared).toBeGreaterThan(130);
    } finally {
      await attio.stop();
    }
  },
);
