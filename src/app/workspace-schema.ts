import type { Sql } from '../db/database.ts';
import { previewMirror } from '../db/mirror/apply.ts';
import { planDrizzleModule } from '../db/mirror/drizzle-module.ts';
import type { ObjectSchema } from '../domain/schema.ts';
import { type Config, objectSettings } from './config/config.ts';
import type { Logger } from './log.ts';
import { openDatabaseOnly } from './open-database.ts';
import { openRemote } from './open-remote.ts';

interface Deps {
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Statements that would bring the mirror tables up to the workspace, and what they leave out. */
export type SchemaPlan = Awaited<ReturnType<typeof previewMirror>>;

/** The objects of the workspace that are mirrored, as the CRM describes them now. */
export async function discoverWorkspace(
  config: Config,
  { log, signal }: Deps,
): Promise<readonly ObjectSchema[]> {
  const remote = await openRemote(config, log);
  try {
    const discovered = await remote.discover({ priority: 'pull', signal });
    return mirroredOf(config, discovered);
  } finally {
    await remote.stop();
  }
}

/** Those that the configuration does not leave out. */
export function mirroredOf(
  config: Config,
  discovered: readonly ObjectSchema[],
): readonly ObjectSchema[] {
  return discovered.filter(({ object }) => objectSettings(config, object).included);
}

/** {@link planWorkspace} in a database that is open and up to date. */
export async function previewWorkspace(
  sql: Sql,
  config: Config,
  schemas: readonly ObjectSchema[],
): Promise<SchemaPlan> {
  const history = schemas
    .map(({ object }) => object)
    .filter((object) => objectSettings(config, object).history);
  return await previewMirror(sql, schemas, new Set(history));
}

/** What a sync would do to the mirror tables. Changes none of them. */
export async function planWorkspace(
  config: Config,
  deps: Deps,
  schemas: readonly ObjectSchema[],
): Promise<SchemaPlan> {
  const open = await openDatabaseOnly(config, deps);
  try {
    return await previewWorkspace(open.db, config, schemas);
  } finally {
    await open.stop();
  }
}

/** The mirror tables as a TypeScript module for the user's own Drizzle code. */
export async function planWorkspaceModule(
  config: Config,
  deps: Deps,
  schemas: readonly ObjectSchema[],
): ReturnType<typeof planDrizzleModule> {
  const open = await openDatabaseOnly(config, deps);
  try {
    return await planDrizzleModule(open.db, schemas);
  } finally {
    await open.stop();
  }
}
