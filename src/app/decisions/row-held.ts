import { describeTrouble, type RowTrouble } from '../../db/connection/row-trouble.ts';
import { SyncError } from '../../domain/errors.ts';

/** A decision that writes a row never waits for whoever holds it. */
export function rowHeld(object: string, recordId: string): SyncError {
  return new SyncError(`somebody holds the row of ${object} ${recordId}; nothing was changed`, {
    code: 'row-held',
    disposition: 'retry',
    hint: 'try again once their transaction has ended',
  });
}

/** A decision that cannot be carried out, for a constraint or a trigger of others refuses it. */
export function rowRefused(object: string, recordId: string, trouble: RowTrouble): SyncError {
  const why = describeTrouble(trouble);
  return new SyncError(`the row of ${object} ${recordId} cannot be written: ${why}`, {
    code: 'row-refused',
    disposition: 'park',
    hint: 'mend what refuses it, then try again; nothing was changed',
  });
}
