import type { Database } from '../db/database.ts';
import { applyGrants, type Grants } from '../db/grants.ts';
import { SyncError } from '../domain/errors.ts';
import type { Logger } from './log.ts';

/**
 * Keeps the rights of roles at what the configuration says. A role that does not exist, or rights
 * that are not ours to give, are no reason to stop: said once, and tried again.
 */
export function createGrantRights(
  db: Database,
  { grants, log }: { readonly grants: Grants; readonly log: Logger },
): () => Promise<void> {
  let said = '';
  const sayOnce = (fields: object, message: string) => {
    const text = JSON.stringify([fields, message]);
    if (text !== said) log.warn(fields, message);
    said = text;
  };
  return async () => {
    try {
      const unknown = await applyGrants(db, grants);
      if (unknown.length > 0) sayOnce({ roles: unknown }, 'grants name roles that do not exist');
      else said = '';
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      if (error.code !== 'database-permission' && error.disposition !== 'retry') throw error;
      sayOnce({ code: error.code }, `rights not granted: ${error.message}`);
    }
  };
}
