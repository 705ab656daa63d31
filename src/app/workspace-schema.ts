import type { Sql } from '../db/connection/database.ts';
import { previewMirror } from '../db/mirror/apply.ts';
import { planDrizzleModule } from '../db/mirror/drizzle-module.ts';
import { undescribedObject } from '../db/mirror/problem.ts';
import type { Remote, Undescribed } from '../domain/remote.ts';
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

/** The objects of the workspace that are mirrored. */
export interface Described {
  /** As the CRM describes them now. */
  readonly schemas: readonly ObjectSchema[];
  /** Those that it does not describe; left out where none are. */
  readonly undescribed?: Undescribed;
}

export async function discoverWorkspace(config: Config, { log, signal }: Deps): Promise<Described> {
  const remote = await openRemote(config, log);
  try {
    const discovered = await remote.discover({ priority: 'pull', signal });
    return {
      schemas: mirroredOf(config, discovered),
      undescribed: undescribedOf(config, remote),
    };
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

/** Likewise, of those that the CRM did not describe when it was last asked. */
export function undescribedOf(
  config: Config,
  { undescribed = new Map() }: Pick<Remote, 'undescribed'>,
): Undescribed {
  return new Map([...undescribed].filter(([object]) => objectSettings(config, object).included));
}

/** What is said of each of them. */
export function describeUndescribed(undescribed: Undescribed): SchemaPlan['problems'] {
  return [...undescribed].map(([object, error]) => undescribedObject(object, error, false));
}

/** {@link planWorkspace} in a database that is open and up to date. */
export async function previewWorkspace(
  sql: Sql,
  config: Config,
  { schemas, undescribed = new Map() }: Described,
): Promise<SchemaPlan> {
  const objects = [...schemas.map(({ object }) => object), ...undescribed.keys()];
  const history = new Set(objects.filter((object) => objectSettings(config, object).history));
  return await previewMirror(sql, schemas, { history, undescribed });
}

/** What a sync would do to the mirror tables. Changes none of them. */
export async function planWorkspace(
  config: Config,
  deps: Deps,
  described: Described,
): Promise<SchemaPlan> {
  const open = await openDatabaseOnly(config, deps);
  try {
    return await previewWorkspace(open.db, config, described);
  } finally {
    await open.stop();
  }
}

/** The mirror tables as a TypeScript module for the user's own Drizzle code. */
export async function planWorkspaceModule(
  config: Config,
  deps: Deps,
  { schemas, undescribed }: Described,
): ReturnType<typeof planDrizzleModule> {
  const open = await openDatabaseOnly(config, deps);
  try {
    return await planDrizzleModule(open.db, schemas, { undescribed });
  } finally {
    await open.stop();
  }
}
