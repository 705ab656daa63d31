import { CAPABILITIES } from '../../src/crm/clarify/capabilities.ts';
import type { Capabilities } from '../../src/domain/capabilities.ts';
import { RemoteError } from '../../src/domain/errors.ts';
import type { Json } from '../../src/domain/json.ts';
import type { JobRequest, Remote, RemoteJobs } from '../../src/domain/remote.ts';
import type { Store } from '../../src/emulator/clarify/store.ts';

/** The field that keeps an id of ours. */
export const EXTERNAL_ID = 'ext_id';

export const JOB_CAPABILITIES: Capabilities = {
  ...CAPABILITIES,
  writing: { kind: 'job', settleMs: 30_000, firstPollMs: 5_000, longestMs: 600_000 },
  creating: { kind: 'external-id', field: EXTERNAL_ID },
};

/** What a job is to come to, drawn when it is handed over. */
export interface JobPlan {
  readonly end: 'completed' | 'failed';
  /** After this long it is carried out. */
  readonly runsAfterMs: number;
  /** After this long it says that it has ended: earlier than it shows, or later. */
  readonly endsAfterMs: number;
  /** Whether a record of it is carried out, and a field of that. */
  readonly does: (field: string | null) => boolean;
  /** The handing over is refused, lost on its way there, or on its way back. */
  readonly answer?: 'refused' | 'lost' | 'unanswered';
}

export const PLAIN: JobPlan = {
  end: 'completed',
  runsAfterMs: 2_000,
  endsAfterMs: 2_000,
  does: () => true,
};

export interface TakenJob {
  readonly ticket: string;
  readonly request: JobRequest;
  readonly plan: JobPlan;
  readonly takenAtMs: number;
  isDone: boolean;
}

export interface JobServerOptions {
  readonly store: () => Store;
  readonly nowMs: () => number;
  readonly plan: (request: JobRequest) => JobPlan;
  /** Fields of objects of which no two records hold the same item, whatever its case. */
  readonly unique?: Readonly<Record<string, string>>;
  /** Told after each job that was carried out. */
  readonly onWrite?: () => void;
}

/**
 * A server that takes changes in jobs over the records of the emulator: answers with a ticket, does
 * what it does later, and never says what that was. What it passes over it passes over in silence.
 */
export class JobServer {
  readonly taken: TakenJob[] = [];
  polls = 0;
  readBacks = 0;
  /** The list holds still while it is read back. */
  seesAll = true;
  /** What jobs that completed have passed over. */
  passedOver = 0;
  /** Objects and ids that two open jobs held at once, which may never be. */
  readonly heldTwice: string[] = [];
  readonly #given: JobServerOptions;

  constructor(given: JobServerOptions) {
    this.#given = given;
  }

  /** A client of this server: everything but the writes of these objects goes to the other one. */
  client<R extends Remote>(remote: R, objects: readonly string[]): R {
    const isOurs = (object: string) => objects.includes(object);
    const client = Object.create(remote) as R;
    const unused = () => Promise.reject(new Error('written by jobs alone'));
    return Object.defineProperties(client, {
      capabilitiesOf: {
        value: (object: string) =>
          isOurs(object) ? JOB_CAPABILITIES : remote.capabilitiesOf(object),
      },
      create: { value: guarded(remote.create, isOurs, unused) },
      update: { value: guarded(remote.update, isOurs, unused) },
      delete: { value: guarded(remote.delete, isOurs, unused) },
      readPage: {
        value: (...args: Parameters<Remote['readPage']>) => {
          this.run();
          return remote.readPage(...args);
        },
      },
      jobs: { value: this.#jobs(remote) },
    });
  }

  /** Whether a job of the object may still do anything. */
  isOpen(object: string): boolean {
    return this.taken.some(({ request, isDone }) => request.object.object === object && !isDone);
  }

  /** Carries out what is due, as time has passed. */
  run(nowMs: number = this.#given.nowMs()): void {
    const due = this.taken.filter(
      (job) => !job.isDone && nowMs >= job.takenAtMs + job.plan.runsAfterMs,
    );
    for (const job of due.toSorted((a, b) => endOf(a) - endOf(b))) {
      job.isDone = true;
      this.#carryOut(job);
      this.#given.onWrite?.();
    }
  }

  #jobs(remote: Remote): RemoteJobs {
    return {
      submit: async (request, options) => {
        await options.beforeAttempt?.(options.timeoutMs ?? 0);
        const plan = this.#given.plan(request);
        if (plan.answer === 'refused') throw failure('retry', false);
        if (plan.answer === 'lost') throw failure('retry', true);
        const ticket = `job-${this.taken.length + 1}`;
        this.#watch(request);
        this.taken.push({ ticket, request, plan, takenAtMs: this.#given.nowMs(), isDone: false });
        if (plan.answer === 'unanswered') throw failure('retry', true);
        return ticket;
      },
      poll: async ({ ticket }) => {
        this.polls += 1;
        this.run();
        const job = this.taken.find((one) => one.ticket === ticket);
        if (job === undefined) return 'failed';
        return this.#given.nowMs() < job.takenAtMs + job.plan.endsAfterMs ? 'open' : job.plan.end;
      },
      readBack: async ({ object, ids, externalIds }, options) => {
        this.readBacks += 1;
        this.run();
        const own = new Set<Json>(externalIds);
        const born = this.#given
          .store()
          .all(object.object)
          .filter(({ attributes }) => own.has(attributes[EXTERNAL_ID] ?? null))
          .map(({ id }) => id);
        const read = [...new Set([...ids, ...born])].map((id) =>
          remote.readRecord({ object, id }, options),
        );
        const records = (await Promise.all(read)).flatMap((record) => record ?? []);
        return { records, isWhole: this.seesAll };
      },
    };
  }

  #watch(request: JobRequest): void {
    const held = new Set(this.taken.filter(({ isDone }) => !isDone).flatMap(holds));
    for (const key of holds({ request })) if (held.has(key)) this.heldTwice.push(key);
  }

  #carryOut({ request, plan }: TakenJob): void {
    const store = this.#given.store();
    const { object } = request.object;
    if (request.kind === 'delete') {
      for (const id of request.ids) {
        if (plan.does(null) && store.get(object, id) !== null) store.delete(object, id);
      }
      return;
    }
    const isSilent = plan.end === 'completed';
    for (const { id, fields } of request.records) {
      const known = id ?? this.#bornAs(object, fields[EXTERNAL_ID] ?? null);
      const isTaken = known === null && this.#isTaken(object, null, fields);
      if (isTaken || !plan.does(null)) {
        if (isSilent) this.passedOver += 1;
        continue;
      }
      let kept = Object.fromEntries(
        Object.entries(fields)
          .filter(
            ([name, value]) => name === EXTERNAL_ID || this.#keeps(plan, request, name, value),
          )
          .map(([name, value]) => [name, Array.isArray(value) ? { items: value } : value]),
      );
      const { [this.#given.unique?.[object] ?? '']: wanted, ...others } = kept;
      if (wanted !== undefined && this.#isTaken(object, known, fields)) kept = others;
      const isLeftOut = Object.keys(kept).length < Object.keys(fields).length;
      if (isSilent && (isLeftOut || (known !== null && store.get(object, known) === null)))
        this.passedOver += 1;
      if (known === null) store.create(object, kept);
      else if (store.get(object, known) !== null) store.update(object, known, kept);
    }
  }

  #isTaken(object: string, own: string | null, fields: Readonly<Record<string, Json>>): boolean {
    const name = this.#given.unique?.[object];
    const wanted = name === undefined ? [] : itemsOf(fields[name]);
    return (
      name !== undefined &&
      this.#given
        .store()
        .all(object)
        .some(
          ({ id, attributes }) =>
            id !== own && itemsOf(attributes[name]).some((item) => wanted.includes(item)),
        )
    );
  }

  /** A link to nothing is passed over, as are those that were drawn. */
  #keeps(plan: JobPlan, { object }: JobRequest, name: string, value: Json): boolean {
    if (!plan.does(name)) return false;
    const { relationship } = object.fields.find((field) => field.name === name) ?? {};
    if (!relationship || typeof value !== 'string') return true;
    return this.#given.store().get(relationship.object, value) !== null;
  }

  #bornAs(object: string, externalId: Json): string | null {
    const all = this.#given.store().all(object);
    return all.find(({ attributes }) => attributes[EXTERNAL_ID] === externalId)?.id ?? null;
  }
}

function itemsOf(value: unknown): readonly string[] {
  const texts = [...(JSON.stringify(value ?? null).matchAll(/"([^"]*)"/g) ?? [])];
  return texts.map(([, text = '']) => text.toLowerCase()).filter((text) => text !== 'items');
}

function endOf({ takenAtMs, plan }: TakenJob): number {
  return takenAtMs + plan.runsAfterMs;
}

function holds({ request }: { readonly request: JobRequest }): readonly string[] {
  const { object } = request.object;
  if (request.kind === 'delete') return request.ids.map((id) => `${object} ${id}`);
  return request.records.map(
    ({ id, fields }) => `${object} ${id ?? JSON.stringify(fields[EXTERNAL_ID])}`,
  );
}

function guarded<R extends { readonly object: { readonly object: string } }, O, T>(
  operate: (request: R, options: O) => Promise<T>,
  isOurs: (object: string) => boolean,
  refuse: () => Promise<T>,
) {
  return (request: R, options: O) =>
    isOurs(request.object.object) ? refuse() : operate(request, options);
}

function failure(disposition: 'retry', ambiguous: boolean): RemoteError {
  return new RemoteError('the job server did not answer', {
    code: 'remote-unreachable',
    disposition,
    status: null,
    ambiguous,
  });
}
