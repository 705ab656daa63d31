import { RemoteError } from '../../domain/errors.ts';
import { stringifyJson } from '../../domain/json.ts';
import type { CallOptions, JobRequest, RemoteJobs } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import type { Outgoing } from '../outgoing.ts';
import type { Sent } from '../sent.ts';
import { chunk, inBatches } from './batches.ts';
import { fateOf, notStarted } from './call.ts';
import { createDensity } from './density.ts';
import { whoWaits } from './moving-values.ts';
import { askedAgain, type JobSending, type SendOptions, sendingOrder } from './sending.ts';

/**
 * Hands changes over in jobs, whose end is looked for later: nothing is reported here but what was
 * not handed over. Which entries a job carries is written down before it goes, and its ticket as soon
 * as it is known, before anybody asks by it. So whatever happens in between, nobody sends again what
 * may be under way.
 */
export async function sendAsJobs(
  sending: JobSending,
  schema: ObjectSchema,
  changes: readonly Outgoing[],
  options: SendOptions,
): Promise<void> {
  const { remote, mayStart, ledger } = sending;
  const { report, ...callOptions } = options;
  const { jobs, limits } = remote;
  if (jobs === undefined)
    throw new Error(`${schema.object} is written by jobs, and there are none`);
  const attempts = askedAgain(mayStart, callOptions);
  const waiting = whoWaits(schema, sendingOrder(changes).flat(), await ledger.outValues());
  if (waiting.size > 0) {
    await report([...waiting].map(([change, waitsFor]) => ({ kind: 'waits', change, waitsFor })));
  }
  const free = changes.filter((change) => !waiting.has(change));
  const most = { jobBytes: limits.jobBytes, records: limits.batchSizeOf(schema.object) };
  const queue = [
    ...jobsOf(
      free.filter(({ kind }) => kind === 'delete'),
      most,
    ),
    ...jobsOf(
      free.filter(({ kind }) => kind !== 'delete'),
      most,
    ),
  ];
  const density = createDensity();
  for (let batch = queue.shift(); batch !== undefined; batch = queue.shift()) {
    if (density.isHigh && batch.length > 1) {
      queue.unshift(batch.slice(0, 1), batch.slice(1));
      continue;
    }
    if (!mayStart()) {
      await report(batch.map((change) => ({ kind: 'failed', change, error: notStarted() })));
      continue;
    }
    const place = await ledger.begin(batch);
    let ticket: string;
    try {
      ticket = await submit(jobs, schema, batch, attempts);
    } catch (error) {
      if (!(error instanceof RemoteError)) throw error;
      const { parts, results } = afterError(error, batch);
      if (results.length > 0) await report(results);
      if (endsAll(error)) throw error;
      if (results.some(({ kind }) => kind === 'refused')) density.refused();
      queue.unshift(...parts);
      continue;
    }
    density.took(batch.length);
    await ledger.hold(place, ticket);
  }
}

async function submit(
  jobs: RemoteJobs,
  object: ObjectSchema,
  batch: readonly Outgoing[],
  options: CallOptions,
): Promise<string> {
  const isDelete = batch.every(({ kind }) => kind === 'delete');
  const request: JobRequest = isDelete
    ? { object, kind: 'delete', ids: batch.map(({ recordId }) => recordId) }
    : {
        object,
        kind: 'write',
        records: batch.map(({ kind, recordId, fields, attempts }) => {
          return { id: kind === 'create' ? null : recordId, fields, attempt: attempts };
        }),
      };
  return await jobs.submit(request, options);
}

/** What becomes of a job that was not taken, or nobody knows whether it was. */
function afterError(
  error: RemoteError,
  batch: readonly Outgoing[],
): { readonly parts: readonly (readonly Outgoing[])[]; readonly results: readonly Sent[] } {
  // It may be under way, the repeatable ones too: what it does is seen when it is read back.
  if (error.ambiguous) return { parts: [], results: all(batch, 'unclear', error) };
  if (endsAll(error)) return { parts: [], results: all(batch, 'failed', error) };
  const kind = fateOf(error, batch);
  if (kind === 'failed') return { parts: [], results: all(batch, kind, error) };
  if (batch.length === 1) return { parts: [], results: all(batch, 'refused', error) };
  const culprit = error.culprit === undefined ? undefined : batch[error.culprit];
  if (culprit === undefined) {
    return { parts: chunk(batch, Math.ceil(batch.length / 2)), results: [] };
  }
  return { parts: [batch.filter((change) => change !== culprit), [culprit]], results: [] };
}

/**
 * Of records that are not there, or may not be written, a job says nothing when it is handed over: what
 * is forbidden or not there is the object, and no record is parked for it.
 */
export function endsAll({ disposition, code }: RemoteError): boolean {
  return disposition === 'halt' || code === 'remote-forbidden' || code === 'remote-not-found';
}

function all(
  batch: readonly Outgoing[],
  kind: 'failed' | 'unclear' | 'refused',
  error: RemoteError,
): readonly Sent[] {
  return batch.map((change) => ({ kind, change, error }));
}

/** What stands around a record's fields. */
const RECORD_BYTES = 120;

/** Jobs within what one may hold; what keeps failing goes in ever smaller ones. */
function jobsOf(
  changes: readonly Outgoing[],
  {
    records,
    jobBytes = Number.POSITIVE_INFINITY,
  }: { readonly records: number; readonly jobBytes: number | undefined },
): readonly (readonly Outgoing[])[] {
  return inBatches(changes, records).flatMap((batch) => {
    const jobs: Outgoing[][] = [];
    let left = 0;
    for (const change of batch) {
      const bytes = RECORD_BYTES + Buffer.byteLength(stringifyJson(change.fields));
      const last = jobs.at(-1);
      if (last === undefined || bytes > left) {
        jobs.push([change]);
        left = jobBytes - bytes;
      } else {
        last.push(change);
        left -= bytes;
      }
    }
    return jobs;
  });
}
