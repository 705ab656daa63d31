import { SyncError } from '../../domain/errors.ts';

/** A decision that writes a row never waits for whoever holds it. */
export function rowHeld(object: string, recordId: string): SyncError {
  return new SyncError(`somebody holds the row of ${object} ${recordId}; nothing was changed`, {
    code: 'row-held',
    disposition: 'retry',
    hint: 'try again once their transaction has ended',
  });
}
