import type { Sql } from '../../db/database.ts';
import {
  type Dependant,
  readBlockingKeys,
  readLeakingPublications,
  readStaleViews,
  readUnpublishable,
} from '../../db/dependants.ts';
import type { Finding } from './check.ts';

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
        some: 'the secret of clarify_sync.installation goes into the stream',
      });
    },
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
  if (found.length === 0) return { state: 'ok', detail: says.none, hint: null };
  const named = found.slice(0, MOST_NAMED).map(({ what }) => what);
  if (found.length > MOST_NAMED) named.push(`and ${found.length - MOST_NAMED} more`);
  const hint = [...new Set(found.slice(0, MOST_NAMED).map(({ cure }) => cure))].join('; ');
  return { state: 'warn', detail: `${says.some}: ${named.join('; ')}`, hint };
}
