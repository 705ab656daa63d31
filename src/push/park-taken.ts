import type { Sql } from '../db/connection/database.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { settleEntries } from '../db/outbox/outbox.ts';
import { readTakenValues } from '../db/outbox/taken-values.ts';
import type { Outgoing } from './outgoing.ts';

/** The code of a create whose unique value another record has. */
export const UNIQUE_TAKEN = 'unique-taken';

/**
 * Parks creates whose unique value another record has, where that value is no identity (a deal's
 * name): some servers would take them for that record and overwrite it (invariant 4).
 *
 * @returns what may go. Runs in the claim's transaction.
 */
export async function parkTaken(
  tx: Sql,
  table: MirrorTable,
  outgoing: readonly Outgoing[],
  epoch: bigint,
): Promise<readonly Outgoing[]> {
  const taken = new Map<Outgoing, string>();
  const creates = outgoing.filter(({ kind }) => kind === 'create');
  for (const field of table.schema.fields) {
    if (!field.unique || field.kind !== 'text' || field.name === table.schema.identity) continue;
    const valueOf = ({ fields }: Outgoing) => fields[field.name];
    const values = creates.map(valueOf).filter((value) => typeof value === 'string');
    const standing = await readTakenValues(tx, table, field.name, values);
    for (const create of creates) {
      const value = valueOf(create);
      if (typeof value === 'string' && standing.has(value)) taken.set(create, field.name);
    }
  }
  await settleEntries(
    tx,
    epoch,
    [...taken].map(([{ entries }, field]) => {
      const reason = `${UNIQUE_TAKEN}: another record has this ${field}, and it is no identity`;
      return { ids: entries, outcome: { state: 'parked', reason } };
    }),
  );
  return outgoing.filter((change) => !taken.has(change));
}
