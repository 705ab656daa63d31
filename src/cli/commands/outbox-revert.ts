import { type Reverted, revertChange } from '../../app/decisions/revert-change.ts';
import { loadMirrorTables } from '../../db/mirror/load.ts';
import { SyncError } from '../../domain/errors.ts';
import type { Report } from '../report.ts';
import type { CommandContext } from '../shell.ts';
import { printable } from '../terminal.ts';
import { nextAfterRelease } from './outbox-next.ts';

/** `outbox revert`: undoes a change that has arrived. */
export async function revert(context: CommandContext, id: bigint): Promise<Report> {
  return await context.withDatabase(async ({ db }, { push }) => {
    if (!push) throw pushIsOff();
    const reverted = await revertChange({ db, tables: await loadMirrorTables(db) }, id);
    return {
      json: { id, ...reverted },
      text: [describe(id, reverted)],
      exitCode: 0,
      next: nextAfterRelease(push),
    };
  });
}

function describe(id: bigint, { kind, object, recordId, change, left }: Reverted): string {
  const row = `${printable(object)} ${printable(recordId)}`;
  const lost = left.length === 0 ? '' : `; without ${left.map(printable).join(', ')}`;
  const what = {
    updated: `${row} has its former values back`,
    deleted: `${row} is deleted`,
    restored: `${row} is being brought back under its id`,
    inserted: `the row is back as ${row}, a new record that gets a new id${lost}`,
  }[kind];
  return `change ${id} undone by change ${change}: ${what}`;
}

function pushIsOff(): SyncError {
  return new SyncError('push is off, so no change can be undone', {
    code: 'push-off',
    disposition: 'halt',
    hint: 'set CLARIFY_SYNC_PUSH=on, restart the service, then run it again',
  });
}
