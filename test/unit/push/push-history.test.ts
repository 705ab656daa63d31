import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RemoteError } from '../../../src/domain/errors.ts';
import type { Json } from '../../../src/domain/json.ts';
import { isLocalId } from '../../../src/push/outgoing.ts';
import { field, objectSchema, reference } from '../../support/fields.ts';
import { type Call, type FakeRemote, failure, fakeRemote, keyOf } from './fake-remote.ts';
import { append, heldBy, type Model, pushOnce } from './push-model.ts';

/** Company before person before deal; company and person refer to each other. */
const LINKS: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  company: [
    ['parent_id', 'company'],
    ['owner_id', 'person'],
  ],
  person: [
    ['company_id', 'company'],
    ['manager_id', 'person'],
  ],
  deal: [
    ['company_id', 'company'],
    ['person_id', 'person'],
  ],
};
const OBJECTS = ['company', 'person', 'deal'];
const schemas = OBJECTS.map((object) =>
  objectSchema(object, [
    field('key', 'text'),
    field('note', 'text'),
    ...(LINKS[object] ?? []).map(([name, target]) => reference(name, target)),
  ]),
);

type Row = Readonly<Record<string, Json>>;

const ROWS = 7;
const localId = (index: number) => `local:${index}`;
const objectOf = (index: number) => OBJECTS[index % OBJECTS.length] ?? 'deal';

const anyTarget = fc.option(fc.nat({ max: ROWS - 1 }));
/** One statement: the row's birth, or an edit where it stands already. */
const anyStep = fc.record({
  row: fc.nat({ max: ROWS - 1 }),
  note: fc.option(fc.constantFrom('p', 'q')),
  targets: fc.tuple(anyTarget, anyTarget),
  push: fc.boolean(),
});
const anyHistory = fc.record({
  steps: fc.array(anyStep, { minLength: 2, maxLength: 16 }),
  bad: fc.subarray(
    Array.from({ length: ROWS }, (_, i) => String(i)),
    { maxLength: 3 },
  ),
  faults: fc.array(fc.constantFrom('ok', 'ok', 'lose', 'limit'), { maxLength: 25 }),
  batchSize: fc.constantFrom(1, 3, 100),
});

/** The step's links, as far as they lead to rows of the right object that stand. */
function linksOf(
  { row, targets }: { readonly row: number; readonly targets: readonly (number | null)[] },
  rows: ReadonlyMap<string, Row>,
): Row {
  const links = LINKS[objectOf(row)] ?? [];
  return Object.fromEntries(
    links.flatMap(([name, object], place) => {
      const target = targets[place] ?? null;
      if (target === null || objectOf(target) !== object) return [];
      return target === row || rows.has(localId(target)) ? [[name, localId(target)]] : [];
    }),
  );
}

test('whatever fails, every record is made once and ends as it stands here', async () => {
  await fc.assert(
    fc.asyncProperty(anyHistory, async ({ steps, bad: refused, faults: script, batchSize }) => {
      const model: Model = { schemas, entries: [], idMap: new Map() };
      const rows = new Map<string, Row>();
      const bad = new Set(refused);
      const faults = [...script];
      const remotes = new Map(
        OBJECTS.map((object): [string, FakeRemote] => [
          object,
          fakeRemote({
            batchSize,
            judge: (call) => judge(call, bad, faults),
            after: () => (faults.pop() === 'lose' ? LOST : null),
          }),
        ]),
      );
      for (const step of steps) {
        const recordId = localId(step.row);
        const before = rows.get(recordId);
        const note = step.note === null ? {} : { note: step.note };
        const key = before ? {} : { key: String(step.row) };
        const values = { ...key, ...note, ...linksOf(step, rows) };
        const changes = Object.fromEntries(
          Object.entries(values).map(([name, value]) => [
            name,
            { base: before?.[name] ?? null, value },
          ]),
        );
        append(model, {
          object: objectOf(step.row),
          recordId: model.idMap.get(recordId) ?? recordId,
          op: before ? 'update' : 'insert',
          changes,
        });
        rows.set(recordId, { ...before, ...values });
        if (step.push) await quieten(model, remotes);
      }
      await quieten(model, remotes);
      // A person mends what was refused.
      bad.clear();
      for (const entry of model.entries) if (entry.state === 'parked') entry.state = 'pending';
      await quieten(model, remotes);

      expect(model.entries.filter(({ state }) => state !== 'done')).toEqual([]);
      for (const [recordId, row] of rows) {
        const fake = remotes.get(objectOf(Number(row.key)));
        const created = fake?.carriedOutCalls
          .filter(({ kind }) => kind === 'create')
          .flatMap(({ items }) => items.filter(({ key }) => key === row.key));
        expect(created).toHaveLength(1);
        const expected = Object.entries(row).map(([name, value]) => [
          name,
          isLocalId(value) ? model.idMap.get(value) : value,
        ]);
        const id = model.idMap.get(recordId) ?? '';
        expect(fake && heldBy(fake).get(id)).toEqual(Object.fromEntries(expected));
      }
    }),
    { numRuns: 300 },
  );
}, 30_000);

const LOST = failure({ ambiguous: true, disposition: 'retry', status: null });

function judge({ items }: Call, bad: ReadonlySet<string>, faults: string[]): RemoteError | null {
  for (const { fields } of items) expect(Object.values(fields).filter(isLocalId)).toEqual([]);
  if (items.some(({ fields }) => bad.has(keyOf(fields)))) return failure({});
  return faults.pop() === 'limit' ? failure({ disposition: 'retry', status: 429 }) : null;
}

async function quieten(model: Model, remotes: ReadonlyMap<string, FakeRemote>): Promise<void> {
  for (let rounds = 0; await pushOnce(model, remotes); rounds += 1) {
    expect(rounds).toBeLessThan(60);
  }
}
