import { RemoteError } from '../../domain/errors.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import type { Outgoing } from '../outgoing.ts';
import type { Sent } from '../sent.ts';
import { inBatches } from './batches.ts';
import { fateOf, notStarted, send } from './call.ts';
import { inLanes, type Step } from './moving-values.ts';
import { askedAgain, type Sending, type SendOptions, sendingOrder } from './sending.ts';

/**
 * Sends changes one record a call, as many at once as the server's budget allows; deletions before
 * all else, many a call, where the object takes them so. What the server refuses is that record's
 * alone (invariant 10). Where a unique value moves from one record to
 * another, the one that frees it goes first, and the other waits for it where that did not arrive.
 */
export async function sendSingly(
  sending: Sending,
  schema: ObjectSchema,
  changes: readonly Outgoing[],
  options: SendOptions,
): Promise<void> {
  const { remote, mayStart } = sending;
  const { report, ...callOptions } = options;
  const lanes = [...inLanes(schema, sendingOrder(changes).flat())];
  const tell = oneAfterAnother(report);
  const left = new Set<Outgoing>();
  const settled = new Set<Outgoing>();
  let stopped = false;
  const attempts = askedAgain(() => !stopped && mayStart(), callOptions);
  const deliver = async ({ change, after }: Step): Promise<Sent> => {
    // Nobody is refused a value that is on its way to him.
    const giver = after.find((one) => left.has(one))?.entries.at(-1);
    if (giver !== undefined) return { kind: 'waits', change, waitsFor: giver };
    if (!mayStart()) return { kind: 'failed', change, error: notStarted() };
    try {
      const [sent] = await send(sending, schema, [change], attempts);
      if (sent !== undefined) return sent;
    } catch (error) {
      if (!(error instanceof RemoteError)) throw error;
      return { kind: fateOf(error, [change]), change, error };
    }
    throw new Error(`nothing came of a change of ${schema.object} ${change.recordId}`);
  };
  /** Those that a call of several does not take go out by themselves. */
  const removeTogether = async (batch: readonly Outgoing[]): Promise<void> => {
    if (!mayStart()) return;
    let sent: readonly Sent[];
    try {
      sent = await send(sending, schema, batch, attempts);
    } catch (error) {
      if (!(error instanceof RemoteError)) throw error;
      const kind = fateOf(error, batch);
      if (kind !== 'failed') return;
      sent = batch.map((change) => ({ kind, change, error }));
    }
    for (const { kind, change } of sent) {
      settled.add(change);
      if (kind !== 'delivered') left.add(change);
    }
    await report(sent);
  };
  for (const batch of removalsOf(sending, schema, changes)) await removeTogether(batch);
  const work = async (): Promise<void> => {
    try {
      for (let lane = lanes.shift(); lane !== undefined; lane = lanes.shift()) {
        for (const step of lane) {
          if (stopped) return;
          if (settled.has(step.change)) continue;
          const sent = await deliver(step);
          if (sent.kind !== 'delivered' && sent.kind !== 'gone') left.add(step.change);
          await tell(sent);
        }
      }
    } catch (error) {
      stopped = true;
      lanes.length = 0;
      throw error;
    }
  };
  const workers = Math.max(1, Math.min(remote.limits.writesAtOnce, lanes.length));
  const ended = await Promise.allSettled(Array.from({ length: workers }, work));
  const failed = ended.find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}

function removalsOf(
  { remote }: Sending,
  { object }: ObjectSchema,
  changes: readonly Outgoing[],
): readonly (readonly Outgoing[])[] {
  const { writing } = remote.capabilitiesOf(object);
  if (writing.kind !== 'single' || writing.removals !== 'bulk') return [];
  const deletes = changes.filter(({ kind }) => kind === 'delete');
  return inBatches(deletes, remote.limits.batchSizeOf(object)).filter((batch) => batch.length > 1);
}

/**
 * What comes while a report is being written goes into the next one: many answers, one transaction.
 *
 * @returns what resolves once a result has been written down.
 */
function oneAfterAnother(report: SendOptions['report']): (sent: Sent) => Promise<void> {
  let waiting: Sent[] = [];
  let writing: Promise<void> = Promise.resolve();
  const writeAfter = async (before: Promise<void>): Promise<void> => {
    await before;
    const all = waiting;
    waiting = [];
    await report(all);
  };
  return (sent) => {
    waiting.push(sent);
    if (waiting.length === 1) writing = writeAfter(writing);
    return writing;
  };
}
