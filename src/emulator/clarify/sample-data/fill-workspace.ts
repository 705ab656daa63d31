import { createTextPacker } from '../../kernel/packed-text.ts';
import { pick, type Random, seededRandom } from '../../kernel/random.ts';
import { sampleInstants } from '../../kernel/sample-data/instants.ts';
import { linkField } from '../links.ts';
import { indexFields, type ObjectState } from '../object-state.ts';
import { serialisePlainFields } from '../stored-record.ts';
import type { Workspace } from '../workspace.ts';
import { fillExtras } from './fill-extras.ts';
import { sampleFields } from './sample-fields.ts';

export type SampleSizes = Readonly<Record<string, number>>;

export const defaultSizes: SampleSizes = {
  company: 60,
  person: 250,
  deal: 120,
  task: 80,
  meeting: 40,
  message: 60,
  c_project: 25,
};

/** Records made later refer to records made earlier. */
const ORDER = [
  'company',
  'person',
  'deal',
  'task',
  'meeting',
  'meeting_recording',
  'message',
  'c_project',
];
const SAMPLE_END_MS = Date.UTC(2026, 8, 1);
const DAY_MS = 86_400_000;

/**
 * Fills a new workspace: the same seed and sizes give the same records, ids and timestamps. No
 * timestamp lies in the future, so where the clock stands before September 2026, they end with
 * the day before.
 */
export function fillWorkspace(workspace: Workspace, seed: string, sizes: SampleSizes): void {
  const today = Math.floor(workspace.now() / DAY_MS) * DAY_MS;
  const endMs = Math.min(SAMPLE_END_MS, today);
  const ids = new Map<string, string[]>();
  for (const object of ORDER) {
    const state = workspace.objects.get(object);
    if (state === undefined) continue;
    const count = sizes[object] ?? (object === 'meeting_recording' ? recordings(sizes) : 0);
    ids.set(object, fillObject({ workspace, state, seed, ids, endMs }, count));
  }
  const random = seededRandom(`${seed} links`);
  linkPeople(workspace, random, 'deal', ids);
  linkPeople(workspace, random, 'c_project', ids);
  linkPeople(workspace, random, 'meeting', ids);
  fillExtras(workspace, seed, endMs);
}

/** Where nothing else is asked for, a recording of every third meeting. */
function recordings({ meeting = 0 }: SampleSizes): number {
  return Math.floor(meeting / 3);
}

interface Filling {
  readonly workspace: Workspace;
  readonly state: ObjectState;
  readonly seed: string;
  readonly ids: ReadonlyMap<string, readonly string[]>;
  readonly endMs: number;
}

function fillObject({ workspace, state, seed, ids, endMs }: Filling, count: number): string[] {
  const { object } = state.definition;
  const { dialect, users } = workspace;
  const random = seededRandom(`${seed} ${object}`);
  const pack = createTextPacker();
  const made: string[] = [];
  const another = (other: string): string | null => {
    const known = other === object ? made : (ids.get(other) ?? []);
    return known.length === 0 ? null : pick(random, known);
  };
  const actors = [...users.map(({ id }) => id), 'system', 'agent', 'rep'];
  const fieldsOf = sampleFields[object];
  if (fieldsOf === undefined) return made;
  for (let index = 0; index < count; index += 1) {
    const { createdMs, updatedMs, edited } = sampleInstants(random, { index, count, endMs });
    const id = workspace.newId(random, object);
    const fields = fieldsOf({ random, index, createdMs, dialect, another });
    state.records.set(id, {
      id,
      order: state.nextOrder,
      text: pack(serialisePlainFields(fields)),
      createdMs,
      updatedMs,
      edited,
      createdBy: pick(random, actors),
      updatedBy: pick(random, actors),
      mergedIds: NONE,
    });
    state.nextOrder += 1;
    indexFields(state, id, null, fields);
    made.push(id);
  }
  return made;
}

const NONE: readonly string[] = [];

function linkPeople(
  workspace: Workspace,
  random: Random,
  object: string,
  ids: ReadonlyMap<string, readonly string[]>,
): void {
  const people = ids.get('person') ?? [];
  const state = workspace.objects.get(object);
  const field = state === undefined ? undefined : linkField(state.definition, 'people');
  if (field === undefined || people.length === 0) return;
  for (const id of ids.get(object) ?? []) {
    for (let left = random.int(5); left > 0; left -= 1) {
      workspace.links.add(object, field, id, pick(random, people));
    }
  }
}
