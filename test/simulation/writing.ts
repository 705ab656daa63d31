import { CAPABILITIES } from '../../src/crm/clarify/capabilities.ts';
import type { Remote } from '../../src/domain/remote.ts';
import type { Store } from '../../src/emulator/clarify/store.ts';
import { type JobPlan, JobServer, PLAIN } from '../support/job-server.ts';
import type { ObjectName } from './arena.ts';
import type { Chance } from './chance.ts';

/** How the CRM of a history takes changes. */
export const WRITINGS = ['bulk', 'single', 'job'] as const;
export type WritingKind = (typeof WRITINGS)[number];

/** Of one CRM, objects may differ in everything. */
const BY_JOBS: readonly (readonly ObjectName[])[] = [
  ['company', 'person', 'task'],
  ['company', 'task'],
  ['person'],
];

export interface WrittenWorld {
  /** Hands over everything as it is drawn; afterwards nothing goes wrong any more. */
  readonly server: JobServer;
  /** Those written by jobs, where there are any. */
  readonly objects: readonly ObjectName[];
  /** What a process calls. */
  client<R extends Remote>(remote: R): R;
  calm(): void;
  /** What the next job is to come to; then it is drawn again. */
  plan(plan: JobPlan): void;
}

export function openWriting(
  kind: WritingKind,
  given: {
    readonly chance: Chance;
    readonly nowMs: () => number;
    readonly store: () => Store;
    readonly onWrite: () => void;
  },
): WrittenWorld {
  const { chance } = given;
  let isCalm = false;
  const planned: JobPlan[] = [];
  const objects = chance.of(BY_JOBS);
  const server = new JobServer({
    ...given,
    unique: { company: 'domains', person: 'email_addresses' },
    plan: () => planned.shift() ?? (isCalm ? PLAIN : drawPlan(chance)),
  });
  return {
    server,
    objects,
    client(remote) {
      if (kind === 'job') return server.client(remote, objects);
      return kind === 'single' ? oneByOne(remote) : remote;
    },
    calm() {
      isCalm = true;
    },
    plan(plan) {
      planned.push(plan);
    },
  };
}

function oneByOne<R extends Remote>(remote: R): R {
  const single = { ...CAPABILITIES, writing: { kind: 'single' } } as const;
  return Object.defineProperties(Object.create(remote) as R, {
    capabilitiesOf: { value: () => single },
  });
}

/** What may become of a job: late, half, cancelled, its answer lost, a field passed over. */
function drawPlan(chance: Chance): JobPlan {
  const endsAfterMs = chance.of([0, 1_000, 4_000, 20_000, 90_000]);
  const late = chance.once(3) ? chance.int(1, 25) * 1_000 : -Math.floor(endsAfterMs / 2);
  const times = { endsAfterMs, runsAfterMs: endsAfterMs + late };
  const answer = chance.once(4)
    ? { answer: chance.of(['refused', 'lost', 'unanswered'] as const) }
    : {};
  if (chance.once(3)) {
    const share = chance.of(['nothing', 'half', 'all'] as const);
    const does = () => share === 'all' || (share === 'half' && chance.once(2));
    return { ...times, ...answer, end: 'failed', does };
  }
  const drops = chance.once(5);
  const does = (field: string | null) => !(drops && field !== 'marker' && chance.once(4));
  return { ...times, ...answer, end: 'completed', does };
}
