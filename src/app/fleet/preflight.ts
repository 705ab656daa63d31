import { bindDatabase } from '../../db/connection/database.ts';
import { DatabaseSyncError } from '../../db/connection/database-error.ts';
import { openServer, type Server } from '../../db/connection/server.ts';
import { controlVersion } from '../../db/migrate.ts';
import { SyncError, UsageError } from '../../domain/errors.ts';
import { type Config, schemasFor } from '../config/config.ts';
import type { Logger } from '../log.ts';
import { openRemote } from '../open-remote.ts';
import type { FleetConfig, FleetEntry } from './file.ts';

/**
 * Looks, before anything is made, whether the schemas a file names are ours to use: none may be
 * another program's, or mirror another workspace. A database that is away says nothing of that: its
 * workspaces stop alone.
 *
 * @throws UsageError naming every mistake by its path.
 */
export async function checkSchemas(
  { workspaces }: Pick<FleetConfig, 'workspaces'>,
  { embeddedUrl, log }: { readonly embeddedUrl: string | null; readonly log: Logger },
): Promise<void> {
  const byUrl = new Map<string | null, FleetEntry[]>();
  for (const entry of workspaces) {
    const url = entry.config.database?.url ?? embeddedUrl;
    byUrl.set(url, [...(byUrl.get(url) ?? []), entry]);
  }
  const found = await Promise.all(
    [...byUrl].map(async ([url, entries]) =>
      url === null ? entries.map(NO_DATABASE) : await problemsIn(url, entries, log),
    ),
  );
  const problems = found.flat();
  if (problems.length > 0) {
    throw new UsageError(problems, 'docs/fleet.md tells how schemas are chosen');
  }
}

const NO_DATABASE = ({ name }: FleetEntry) =>
  `workspaces.${name}.database is not set, and the process began without one of its own`;

/** One after the other, on one connection; none where the database cannot be asked. */
async function problemsIn(
  url: string,
  entries: readonly FleetEntry[],
  log: Logger,
): Promise<readonly string[]> {
  const server = openServer({ url, applicationName: 'clarify-sync', max: 1, log });
  const problems: string[] = [];
  try {
    for (const { name, config } of entries) {
      try {
        await look(server, config, log);
      } catch (error) {
        if (error instanceof DatabaseSyncError && error.sqlState === null) break;
        if (error instanceof SyncError && MISTAKES.has(error.code)) {
          problems.push(`workspaces.${name}.schema: ${error.message}`);
        } else log.debug({ workspace: name, err: error }, 'its schema was not looked at');
      }
    }
    return problems;
  } finally {
    await server.close();
  }
}

async function look(server: Server, config: Config, log: Logger): Promise<void> {
  const remote = await openRemote(config, log);
  const { workspace } = remote;
  await remote.stop();
  const owner = { crm: config.crm.name, workspace };
  await controlVersion(bindDatabase(server, schemasFor(config)), { owner });
}

const MISTAKES: ReadonlySet<string> = new Set([
  'installation-other-workspace',
  'schema-foreign',
  'schema-newer',
  'schema-edited',
]);
