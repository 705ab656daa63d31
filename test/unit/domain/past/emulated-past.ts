import type { Json } from '../../../../src/domain/json.ts';
import type { PastChange, PastEvent } from '../../../../src/domain/past/event.ts';
import type { SeenRecord } from '../../../../src/domain/past/record-past.ts';
import type { Field, ObjectSchema } from '../../../../src/domain/schema.ts';
import { builtInObjects } from '../../../../src/emulator/clarify/built-in-objects.ts';
import type { Activity, Difference } from '../../../../src/emulator/clarify/history.ts';
import { createStore } from '../../../../src/emulator/clarify/store.ts';
import { createWorkspace } from '../../../../src/emulator/clarify/workspace.ts';
import { type Deed, hasItems, live, type TrueState } from '../../../support/lived-past.ts';

/** A live record, what is seen of it, what its feed tells, and what truly was. */
export interface LivedRecord {
  readonly object: ObjectSchema;
  readonly id: string;
  readonly seen: SeenRecord;
  readonly events: readonly PastEvent[];
  /** Oldest first; the last state of each millisecond. */
  readonly truth: readonly TrueState[];
}

/** Does it all in an emulated workspace, and takes down what its feeds tell of it. */
export function emulate(deeds: readonly Deed[], deletedTargets: 'keep' | 'clear'): LivedRecord[] {
  const clock = { nowMs: Date.UTC(2026, 0, 1) };
  const workspace = createWorkspace({
    slug: 'demo',
    dialect: 'current',
    seed: 'past',
    clock: () => clock.nowMs,
    switches: { deletedTargets },
    objects: builtInObjects('current'),
  });
  const store = createStore(workspace);
  const { schemas, past } = live({ store, switches: workspace.switches, clock }, deeds);
  const seenAt = { sinceMs: clock.nowMs + 60_000, versionMs: clock.nowMs };
  return schemas.flatMap((object) =>
    store.ids(object.object).map((id) => {
      const truth = past.get(id) ?? [];
      const { fields = new Map<string, Json>(), mergedIds = [] } = truth.at(-1) ?? {};
      const events = workspace.history
        .of(object.object, id)
        .map((one) => asEvent(object.fields, one));
      const seen = { fields, mergedIds, ...seenAt };
      return { object, id, seen, events: events.toReversed(), truth };
    }),
  );
}

/** As the API tells it: what came of a link, and not what was before. */
function asEvent(fields: readonly Field[], activity: Activity): PastEvent {
  const { actor: by, atMs } = activity;
  switch (activity.kind) {
    case 'create': {
      const told = Object.entries(activity.data ?? {}).filter(([, value]) => value !== null);
      const changes = told.map(([field, val]) =>
        asChange(fields, { op: 'add', path: [field], val }),
      );
      return { atMs, by, kind: 'create', isTold: activity.data !== null, changes };
    }
    case 'update':
    case 'merge': {
      const changes = activity.diff.map((one) => asChange(fields, one));
      return { atMs, by, kind: activity.kind, isTold: changes.length > 0, changes };
    }
    case 'set-relationship': {
      const { relationship, refs } = activity;
      const isOne = fields.find(({ name }) => name === relationship)?.kind === 'reference';
      const value = isOne ? (refs[0]?.id ?? null) : refs.map(({ id }) => id);
      return {
        atMs,
        by,
        kind: 'link',
        isTold: true,
        changes: [{ field: relationship, within: [], value, was: undefined }],
      };
    }
    default:
      return {
        atMs,
        by,
        kind: activity.kind === 'delete' ? 'delete' : 'other',
        isTold: true,
        changes: [],
      };
  }
}

function asChange(fields: readonly Field[], { op, path, val, oldVal }: Difference): PastChange {
  const [name, ...within] = path;
  const field = fields.find((one) => one.name === name);
  const isTexts = field?.kind === 'texts';
  const place = isTexts && within[0] === 'items' ? within.slice(1) : within;
  const plain = (value: Json | undefined) =>
    isTexts && place.length === 0 && value !== undefined && hasItems(value) ? value.items : value;
  return {
    field: String(name),
    within: place,
    value: op === 'delete' ? null : plain(val),
    was: op === 'add' ? null : plain(oldVal),
  };
}
