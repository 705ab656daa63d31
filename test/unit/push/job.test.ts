import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RemoteError } from '../../../src/domain/errors.ts';
import type { Json } from '../../../src/domain/json.ts';
import type { RemoteRecord } from '../../../src/domain/record.ts';
import type { JobRequest, Remote } from '../../../src/domain/remote.ts';
import { judgeByRecord } from '../../../src/push/judge-job.ts';
import type { Outgoing } from '../../../src/push/outgoing.ts';
import type { Sent } from '../../../src/push/sent.ts';
import { sendAsJobs } from '../../../src/push/writing/job.ts';
import { field, objectSchema } from '../../support/fields.ts';
import { failure, fakeRemote } from './fake-remote.ts';

const schema = objectSchema('vehicle', [
  field('ext_id', 'text', { unique: true }),
  field('plate', 'text'),
  field('seats', 'number'),
]);
const { signal } = new AbortController();

type Fields = Readonly<Record<string, Json>>;

function change(kind: Outgoing['kind'], id: string, fields: Fields, base: Fields = {}): Outgoing {
  const changes = Object.fromEntries(
    Object.entries(kind === 'delete' ? base : fields).map(([name, value]) => [
      name,
      { base: base[name] ?? null, value: kind === 'delete' ? null : value },
    ]),
  );
  return {
    kind,
    recordId: id,
    entries: [BigInt(id.replace(/\D/g, ''))],
    fields: kind === 'delete' ? {} : fields,
    changes,
    identity: null,
    matchOn: kind === 'create' ? 'ext_id' : null,
    attempts: 1,
    mayHaveArrived: false,
  };
}

interface Handed {
  readonly request: JobRequest;
  /** What was written down by the time it went: entries, and whether a ticket was waited for. */
  readonly begun: readonly bigint[];
}

async function handOver(
  changes: readonly Outgoing[],
  how: {
    readonly batchSize?: number;
    readonly jobBytes?: number;
    readonly out?: ReadonlyMap<string, bigint>;
    readonly answer?: (request: JobRequest) => RemoteError | null;
    readonly mayStart?: () => boolean;
  } = {},
) {
  const handed: Handed[] = [];
  const log: string[] = [];
  const sent: Sent[] = [];
  let begun: readonly bigint[] = [];
  const { batchSize = 100, jobBytes } = how;
  const base = fakeRemote({ batchSize }).remote;
  const limits = { ...base.limits, ...(jobBytes === undefined ? {} : { jobBytes }) };
  const remote: Remote = {
    ...base,
    limits,
    jobs: {
      submit: async (request, options) => {
        await options.beforeAttempt?.(0);
        handed.push({ request, begun });
        const error = how.answer?.(request) ?? null;
        if (error) throw error;
        log.push('submitted');
        return `t${handed.length}`;
      },
      poll: () => Promise.reject(new Error('nobody asks here')),
      readBack: () => Promise.reject(new Error('nobody reads here')),
    },
  };
  const ledger = {
    outValues: async () => how.out ?? new Map(),
    begin: async (batch: readonly Outgoing[]) => {
      begun = batch.flatMap(({ entries }) => entries);
      log.push('begun');
      return 'place';
    },
    hold: async (place: string, ticket: string) => void log.push(`${place} ${ticket}`),
  };
  const { mayStart = () => true } = how;
  await sendAsJobs({ remote, nowMs: () => 0, mayStart, ledger }, schema, changes, {
    priority: 'push',
    signal,
    report: async (some) => void sent.push(...some),
  }).catch((error: unknown) => log.push(String(error)));
  return { handed, sent, log };
}

const recordsOf = (request: JobRequest) =>
  request.kind === 'delete' ? request.ids.length : request.records.length;

describe('handing over', () => {
  const anyChange = fc.record({
    kind: fc.constantFrom('create', 'update', 'delete' as const),
    plate: fc.string({ maxLength: 300 }),
  });

  test('every change goes out in one job, written down before it and its ticket right after', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyChange, { maxLength: 60 }),
        fc.constantFrom(1, 7, 1_000),
        fc.constantFrom(400, 3_000, 1_000_000),
        async (drawn, batchSize, jobBytes) => {
          const changes = drawn.map(({ kind, plate }, n) =>
            change(kind, `r${n}`, kind === 'create' ? { plate, ext_id: `e${n}` } : { plate }),
          );
          const { handed, sent, log } = await handOver(changes, { batchSize, jobBytes });
          expect(sent).toEqual([]);
          const gone = handed.flatMap(({ begun }) => begun);
          expect(gone.toSorted((a, b) => Number(a - b))).toEqual(
            changes.flatMap(({ entries }) => entries),
          );
          expect(log).toEqual(handed.flatMap((_, n) => ['begun', 'submitted', `place t${n + 1}`]));
          for (const { request, begun } of handed) {
            expect(recordsOf(request)).toBe(begun.length);
            expect(begun.length).toBeLessThanOrEqual(batchSize);
            const bytes = Buffer.byteLength(
              JSON.stringify(request.kind === 'delete' ? [] : request.records),
            );
            if (begun.length > 1) expect(bytes).toBeLessThanOrEqual(jobBytes);
          }
        },
      ),
    );
  });

  test('what may have been taken stays out; what was not has failed', async () => {
    const changes = [change('create', 'r1', { plate: 'a', ext_id: 'e1' })];
    const lost = failure({ ambiguous: true, disposition: 'retry', status: null });
    expect((await handOver(changes, { answer: () => lost })).sent).toMatchObject([
      { kind: 'unclear' },
    ]);
    const full = failure({ disposition: 'retry', status: 429 });
    expect((await handOver(changes, { answer: () => full })).sent).toMatchObject([
      { kind: 'failed' },
    ]);
  });

  test('what a server does not take at all is found, and parks alone', async () => {
    const changes = Array.from({ length: 20 }, (_, n) =>
      change('update', `r${n}`, { plate: `${n}` }),
    );
    const isBad = (request: JobRequest) =>
      request.kind === 'write' && request.records.some(({ id }) => id === 'r13');
    const answer = (request: JobRequest) => (isBad(request) ? failure({ status: 400 }) : null);
    const { sent, handed } = await handOver(changes, { answer });
    expect(sent).toMatchObject([{ kind: 'refused', change: { recordId: 'r13' } }]);
    const taken = handed.filter(({ request }) => !isBad(request));
    expect(taken.flatMap(({ begun }) => begun)).toHaveLength(19);
  });

  test('where it takes none of 1,500, each takes 1.2 jobs at most, and good ones few more', async () => {
    const changes = Array.from({ length: 1_500 }, (_, n) =>
      change('update', `r${n}`, { plate: `${n}` }),
    );
    const refusing = (isBad: (id: number) => boolean) => (request: JobRequest) => {
      const ids = request.kind === 'write' ? request.records.map(({ id }) => id ?? '') : [];
      return ids.some((id) => isBad(Number(id.slice(1)))) ? failure({ status: 400 }) : null;
    };
    const none = await handOver(changes, { batchSize: 1_000, answer: refusing(() => true) });
    expect(none.sent.filter(({ kind }) => kind === 'refused')).toHaveLength(1_500);
    expect(none.handed.length).toBeLessThanOrEqual(1.2 * 1_500);
    const half = await handOver(changes, { batchSize: 1_000, answer: refusing((n) => n < 750) });
    expect(half.sent.filter(({ kind }) => kind === 'refused')).toHaveLength(750);
    expect(half.handed.length).toBeLessThanOrEqual(1.2 * 750);
  });

  test('an object that is forbidden, or not there, parks nobody and is asked about once', async () => {
    for (const [code, status] of [
      ['remote-forbidden', 403],
      ['remote-not-found', 404],
    ] as const) {
      for (const count of [1, 20]) {
        const changes = Array.from({ length: count }, (_, n) =>
          change('update', `r${n}`, { plate: `${n}` }),
        );
        const { sent, handed, log } = await handOver(changes, {
          answer: () => failure({ code, status }),
        });
        expect(handed).toHaveLength(1);
        expect(sent.map(({ kind }) => kind)).toEqual(changes.map(() => 'failed'));
        expect(log.at(-1)).toMatch(/scripted/);
      }
    }
  });

  test('an error that ends everything is told after what did not go', async () => {
    const denied = failure({ disposition: 'halt', status: 401 });
    const changes = [change('update', 'r1', { plate: 'a' })];
    const { sent, log } = await handOver(changes, { answer: () => denied });
    expect(sent).toMatchObject([{ kind: 'failed' }]);
    expect(log.at(-1)).toMatch(/scripted/);
  });

  test('once nothing may start, what is left has failed without having been handed over', async () => {
    let left = 1;
    const changes = Array.from({ length: 6 }, (_, n) =>
      change('update', `r${n}`, { plate: `${n}` }),
    );
    const { sent, handed } = await handOver(changes, { batchSize: 2, mayStart: () => left-- > 0 });
    expect(handed).toHaveLength(0);
    expect(sent).toHaveLength(6);
  });
});

describe('values that move', () => {
  const give = (id: string, from: string | null, to: string | null) =>
    change('update', id, { ext_id: to }, { ext_id: from });

  test.each<[string, readonly Outgoing[], Readonly<Record<string, bigint>>]>([
    [
      'what a deletion frees',
      [
        change('create', 'r2', { ext_id: 'a' }),
        change('delete', 'r1', {}, { ext_id: 'a', plate: 'p' }),
      ],
      { r2: 1n },
    ],
    ['what an edit frees', [give('r1', 'a', 'b'), give('r2', 'c', 'a')], { r2: 1n }],
    ['one that two want', [give('r1', null, 'a'), give('r2', null, 'a')], { r2: 1n }],
    ['what is under way elsewhere', [give('r1', null, 'out')], { r1: 99n }],
    ['nothing', [give('r1', 'a', 'b'), give('r2', 'c', 'd')], {}],
    ['a circle begins somewhere', [give('r1', 'a', 'b'), give('r2', 'b', 'a')], { r1: 2n }],
  ])('%s', async (_name, changes, waits) => {
    const out = new Map([['ext_id out', 99n]]);
    const { sent, handed } = await handOver(changes, { out });
    const found = sent.flatMap((one) =>
      one.kind === 'waits' ? [[one.change.recordId, one.waitsFor] as const] : [],
    );
    expect(Object.fromEntries(found)).toEqual(waits);
    expect(handed.flatMap(({ begun }) => begun)).toHaveLength(changes.length - found.length);
  });
});

describe('what a job has done, by what is shown', () => {
  const record = (fields: Fields): RemoteRecord => {
    const system = { createdAt: null, updatedAt: null, createdBy: null, updatedBy: null };
    return { id: 'r1', fields, ...system, mergedIds: [], links: {} };
  };
  const born = change('create', 'local:1', { ext_id: 'local:1', plate: 'P', seats: 4 });
  const edit = change('update', 'r1', { plate: 'P', seats: 4 }, { plate: 'old', seats: 2 });
  const gone = change('delete', 'r1', {}, { plate: 'old' });
  const whole = record({ ext_id: 'local:1', plate: 'P', seats: 4 });
  const half = record({ ext_id: 'local:1', plate: 'P', seats: null });
  const halfEdit = record({ plate: 'P', seats: 2 });
  const none = record({ plate: 'old', seats: 2 });
  const judge = (
    one: Outgoing,
    shown: RemoteRecord | null,
    outcome: 'completed' | 'failed',
    isFinal: boolean,
  ) => {
    const sent = judgeByRecord(schema, one, shown, {
      outcome,
      isFinal,
      mostAttempts: 14,
      title: 'Acme',
    });
    if (sent === null) return 'look again';
    const left = 'left' in sent ? `, again ${Object.keys(sent.left ?? {}).join()}` : '';
    const kept = 'unkept' in sent ? `, not kept ${Object.keys(sent.unkept ?? {}).join()}` : '';
    const code = 'error' in sent ? ` ${sent.error.code}` : '';
    return `${sent.kind}${code}${left}${kept}`;
  };

  test.each<[string, Outgoing, RemoteRecord | null, string, string]>([
    ['a create shows', born, whole, 'delivered', 'delivered'],
    ['half of a create', born, half, 'delivered, not kept seats', 'delivered, again seats'],
    ['no record', born, null, 'refused not-kept', 'failed job-failed'],
    ['an edit shows', edit, record({ plate: 'P', seats: 4 }), 'delivered', 'delivered'],
    ['what the CRM made of it', edit, record({ plate: 'p.', seats: 4 }), 'delivered', 'delivered'],
    ['half of an edit', edit, halfEdit, 'delivered, not kept seats', 'delivered, again seats'],
    ['nothing of it', edit, none, 'refused not-kept', 'failed job-failed'],
    ['its record is gone', edit, null, 'refused not-kept', 'failed job-failed'],
    ['a record that is gone', gone, null, 'delivered', 'delivered'],
    ['one that is still there', gone, none, 'failed push-unconfirmed', 'failed push-unconfirmed'],
  ])('%s', (_name, one, shown, completed, failed) => {
    expect(judge(one, shown, 'completed', true)).toBe(completed);
    expect(judge(one, shown, 'failed', true)).toBe(failed);
    const early = completed === 'delivered' ? 'delivered' : 'look again';
    expect(judge(one, shown, 'completed', false)).toBe(early);
    expect(judge(one, shown, 'failed', false)).toBe(early);
  });

  test('a change whose jobs always fail waits for a person in the end', () => {
    expect(judge({ ...edit, attempts: 14 }, none, 'failed', true)).toBe('refused job-failed');
  });

  test('what does not clear in one form is sent once more, in another', () => {
    const clear = change('update', 'r1', { plate: null }, { plate: 'old' });
    const end = { outcome: 'completed', isFinal: true, mostAttempts: 14, title: 'Acme' } as const;
    const judged = (attempts: number, clearings?: number) =>
      judgeByRecord(schema, { ...clear, attempts }, none, { ...end, clearings })?.kind;
    expect([judged(1), judged(1, 2), judged(2, 2)]).toEqual(['refused', 'failed', 'refused']);
    const other = change('update', 'r1', { seats: 3 }, { seats: 2 });
    expect(judgeByRecord(schema, other, none, { ...end, clearings: 2 })?.kind).toBe('refused');
  });

  test('names the fields that were not kept, and no value', () => {
    const sent = judgeByRecord(schema, edit, none, {
      outcome: 'completed',
      isFinal: true,
      mostAttempts: 14,
      title: 'Acme',
    });
    expect(sent?.kind === 'refused' && sent.error.reason).toBe('plate, seats (none of it shows)');
  });
});
