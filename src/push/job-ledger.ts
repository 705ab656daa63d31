import { randomUUID } from 'node:crypto';
import { holdsLease } from '../db/lease/lease.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import {
  beginJob,
  type JobContent,
  readOutValues,
  storeTicket,
  unanswered,
} from '../db/outbox/jobs.ts';
import { isPassing } from '../domain/errors.ts';
import { leaseLost } from './lease-lost.ts';
import type { Outgoing } from './outgoing.ts';
import type { PushDeps } from './push-deps.ts';
import { MOST_SETTLE_ATTEMPTS } from './report.ts';
import { uniqueFields, uniqueKeys } from './writing/moving-values.ts';
import type { JobLedger } from './writing/sending.ts';

/** What goes out in jobs of one object, as the outbox has it. */
export function jobLedger(
  { db, remote }: Pick<PushDeps, 'db' | 'remote'>,
  { object, schema }: MirrorTable,
  epoch: bigint,
): JobLedger {
  return {
    async outValues() {
      const out = await readOutValues(db, object, uniqueFields(schema));
      return new Map(
        out.flatMap(({ entry, field, change }) =>
          uniqueKeys(schema, field, change ? [change.base, change.value] : []).map(
            (key) => [key, entry] as const,
          ),
        ),
      );
    },
    begin: (batch) =>
      beginCarrying(
        { db, remote },
        { object, epoch },
        batch.map((change) => ({ ids: change.entries, content: contentOf(change) })),
      ),
    hold: (place, ticket) => holdTicket(db, object, { place, ticket }),
  };
}

/**
 * Writes down which entries a job is about to carry, and what of each. @returns the place for its
 * ticket.
 *
 * @throws SyncError `lease-lost` where another process goes on with them.
 */
export async function beginCarrying(
  { db, remote }: Pick<PushDeps, 'db' | 'remote'>,
  { object, epoch }: { readonly object: string; readonly epoch: bigint },
  carries: Parameters<typeof beginJob>[1]['carries'],
): Promise<string> {
  const { writing } = remote.capabilitiesOf(object);
  const ticket = unanswered(randomUUID());
  const firstLookMs = writing.kind === 'job' ? writing.firstPollMs : 0;
  await db.transaction(async (tx) => {
    if (!(await holdsLease(tx, epoch))) throw leaseLost();
    const begun = await beginJob(tx, { epoch, ticket, firstLookMs, carries });
    if (begun < carries.flatMap(({ ids }) => ids).length) throw leaseLost();
  });
  return ticket;
}

/** Puts a job's ticket in the place held for it, before anybody asks by it. */
export async function holdTicket(
  db: PushDeps['db'],
  object: string,
  { place, ticket }: { readonly place: string; readonly ticket: string },
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await storeTicket(db, { object, place, ticket });
      return;
    } catch (error) {
      // Without it the job counts as one whose answer was lost, and takes longer to be settled.
      if (!isPassing(error) || attempt >= MOST_SETTLE_ATTEMPTS) throw error;
    }
  }
}

function contentOf({ kind, recordId: id, fields, matchOn }: Outgoing): JobContent {
  return { kind, id, fields, ...(matchOn === null ? {} : { matchOn }) };
}
