import { applyGrants, type Grants } from '../db/access/grants.ts';
import { keepPublication, publicationName } from '../db/access/publication.ts';
import type { Database } from '../db/connection/database.ts';
import { SyncError } from '../domain/errors.ts';
import type { Logger } from './log.ts';

/** What is said where something is not as it should be; null where it is. */
type Complaint = { readonly fields: object; readonly message: string } | null;

/**
 * Keeps what stands beside the tables at what the configuration says. Where that is not ours to
 * do, or a lock is not to be had, it is no reason to stop: said once, and tried again.
 */
function createKeeper(
  log: Logger,
  { what, keep }: { readonly what: string; readonly keep: () => Promise<Complaint> },
): () => Promise<void> {
  let said = '';
  const say = (complaint: Complaint) => {
    const text = complaint === null ? '' : JSON.stringify(complaint);
    if (complaint !== null && text !== said) log.warn(complaint.fields, complaint.message);
    said = text;
  };
  return async () => {
    try {
      say(await keep());
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      if (error.code !== 'database-permission' && error.disposition !== 'retry') throw error;
      say({ fields: { code: error.code }, message: `${what}: ${error.message}` });
    }
  };
}

/** Keeps the rights of roles at what the configuration says; a role may not exist yet. */
export function createGrantRights(
  db: Database,
  { grants, log }: { readonly grants: Grants; readonly log: Logger },
): () => Promise<void> {
  return createKeeper(log, {
    what: 'rights not granted',
    async keep() {
      const roles = await applyGrants(db, grants);
      if (roles.length === 0) return null;
      return { fields: { roles }, message: 'grants name roles that do not exist' };
    },
  });
}

/** Keeps the publication at the tables there are, where one is wanted. */
export function createPublish(
  db: Database,
  { publication, log }: { readonly publication: boolean; readonly log: Logger },
): () => Promise<void> {
  if (!publication) return async () => {};
  return createKeeper(log, {
    what: 'publication not kept',
    async keep() {
      const { isTaken } = await keepPublication(db);
      if (!isTaken) return null;
      return {
        fields: { publication: publicationName(db.schemas) },
        message: 'a publication of this name is not ours',
      };
    },
  });
}
