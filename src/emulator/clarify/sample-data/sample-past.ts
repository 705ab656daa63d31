import { withFields } from '../../kernel/fields.ts';
import { pick, type Random, seededRandom } from '../../kernel/random.ts';
import { type Activity, type Difference, differences } from '../history.ts';
import { recordFields, type StoredRecord } from '../stored-record.ts';
import { workspaceUsers } from '../users.ts';
import { sampleSteps } from './sample-steps.ts';

/** Who edits: mostly people. */
const EDITORS = [
  ...workspaceUsers.map(({ id }) => id),
  ...workspaceUsers.map(({ id }) => id),
  'rep',
  'agent',
];

/**
 * What happened to a record of the sample data from its creation to how it was filled in, oldest
 * first. The same record always has the same past. One that was edited ends with an event at its
 * `_updated_at`, by its `_updated_by`; one that was not has nothing but its creation.
 */
export function samplePast(seed: string, object: string, record: StoredRecord): Activity[] {
  const { id, createdBy, createdMs, updatedBy, updatedMs, edited } = record;
  const random = seededRandom(`${seed} past ${id}`);
  let fields = recordFields(record);
  const told: (readonly Difference[])[] = [];
  const steps = edited ? sampleSteps(object, random, fields) : [];
  // Each edit takes a millisecond of its own, between the creation and the last.
  for (const step of steps.slice(0, updatedMs - createdMs)) {
    const before = withFields(fields, step(fields));
    const diff = differences(before, fields);
    if (diff.length === 0) continue;
    told.unshift(diff);
    fields = before;
  }
  // Of some records nothing is made up: somebody edited them, and it is not told what.
  if (edited && told.length === 0) told.push([]);
  const instants = instantsBetween(random, createdMs, updatedMs, told.length);
  return [
    { kind: 'create', actor: createdBy, atMs: createdMs, data: fields },
    ...told.map((diff, index): Activity => {
      const isLast = index === told.length - 1;
      const actor = isLast ? updatedBy : pick(random, EDITORS);
      return { kind: 'update', actor, atMs: instants[index] ?? updatedMs, diff };
    }),
  ];
}

/** So many instants after the first, each later than the one before, the last one included. */
function instantsBetween(random: Random, fromMs: number, toMs: number, count: number): number[] {
  // Most edits follow soon upon another; now and then nothing happens for a long time.
  const weights = Array.from({ length: count }, () => 0.02 + random.next() ** 2);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const spare = toMs - fromMs - count;
  let passed = 0;
  return weights.map((weight, index) => {
    passed += weight;
    const isLast = index === count - 1;
    return isLast ? toMs : fromMs + index + 1 + Math.floor((spare * passed) / total);
  });
}
