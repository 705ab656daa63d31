import {
  type Dependant,
  readBlockingKeys,
  readKeptNumbers,
  readLeakingPublications,
  readOmittingTriggers,
  readStaleViews,
} from '../../db/access/dependants.ts';
import { readGrantState } from '../../db/access/grants.ts';
import { publicationName, readPublicationState } from '../../db/access/publication.ts';
import { readUnpublishable } from '../../db/access/replica-identity.ts';
import type { Database, Sql } from '../../db/connection/database.ts';
import { quoteIdent } from '../../domain/names.ts';
import type { Config } from '../config/config.ts';
import { type Finding, ok } from './check.ts';

/** What users built onto our tables, and what of it will be in the way. */
export const DEPENDANT_CHECKS: readonly {
  readonly name: string;
  readonly look: (sql: Sql) => Promise<Finding>;
}[] = [
  {
    name: 'foreign keys',
    look: async (sql) =>
      describe(await readBlockingKeys(sql), {
        none: 'none that would keep rows from going or getting their id',
        some: 'rows that are referred to wait',
      }),
  },
  {
    name: 'publications',
    look: async (sql) => {
      const unpublishable = await readUnpublishable(sql);
      if (unpublishable.length > 0) {
        const some = 'Postgres refuses to change or remove rows of published tables';
        return describe(unpublishable, { none: '', some });
      }
      return describe(await readLeakingPublications(sql), {
        none: 'none that carries what must stay here',
        some: `a secret in ${sql.schemas.control} goes into the stream`,
      });
    },
  },
  {
    name: 'versions',
    look: async (sql) =>
      describe(await readOmittingTriggers(sql), {
        none: 'no trigger of others leaves out what is kept of the past',
        some: 'triggers may leave out what is kept of the past',
      }),
  },
  {
    name: 'numbers',
    look: async (sql) =>
      describe(await readKeptNumbers(sql), {
        none: 'every column has the digits it needs',
        some: 'columns that cannot be given another type',
      }),
  },
  {
    name: 'views',
    look: async (sql) =>
      describe(await readStaleViews(sql), {
        none: 'none that reads a column put aside',
        some: 'columns put aside when their type changed are still read',
      }),
  },
];

/** Enough to see what it is about. */
const MOST_NAMED = 5;

function describe(
  found: readonly Dependant[],
  says: { readonly none: string; readonly some: string },
): Finding {
  if (found.length === 0) return ok(says.none);
  const named = found.slice(0, MOST_NAMED).map(({ what }) => what);
  if (found.length > MOST_NAMED) named.push(`and ${found.length - MOST_NAMED} more`);
  const hint = [...new Set(found.slice(0, MOST_NAMED).map(({ cure }) => cure))].join('; ');
  return { state: 'warn', detail: `${says.some}: ${named.join('; ')}`, hint };
}

export async function checkPublication(db: Database, { publication }: Config): Promise<Finding> {
  if (!publication) return ok('none is kept');
  const { isTaken, due, identities } = await readPublicationState(db);
  const kept = publicationName(db.schemas);
  const name = quoteIdent(kept);
  if (isTaken) {
    const detail = `${kept} is somebody else's`;
    return { state: 'fail', detail, hint: `ALTER PUBLICATION ${name} RENAME TO another name` };
  }
  const wanting = [...identities.due, ...due];
  if (wanting.length > 0) {
    const detail = `${kept} is not current`;
    const hint = `run \`clarify-sync sync\`; where a right is missing, as an administrator: ${wanting.join('; ')}`;
    return { state: 'warn', detail, hint };
  }
  if (identities.others.length === 0) return ok(`${kept} is current`);
  const detail = `not by _key, but otherwise, rows are named in the stream of ${identities.others.join('; ')}`;
  const hint = 'who reads the stream by _key gets removals without it; see docs/cdc.md';
  return { state: 'warn', detail, hint };
}

export async function checkGrants(db: Database, { grants }: Config): Promise<Finding> {
  const { unknownRoles, due } = await readGrantState(db, grants);
  const [role] = unknownRoles;
  if (role !== undefined) {
    const detail = `no such role: ${unknownRoles.join(', ')}`;
    const hint = `correct grants in the configuration file, or as an administrator: CREATE ROLE ${quoteIdent(role)}`;
    return { state: 'warn', detail, hint };
  }
  if (due.length > 0) {
    const detail = `${due.length} rights differ from what the configuration says`;
    return { state: 'warn', detail, hint: 'run `clarify-sync sync`, which sets them' };
  }
  const roles = grants.read.length + grants.write.length;
  return ok(roles === 0 ? 'none configured' : `as configured, for ${roles} roles`);
}
