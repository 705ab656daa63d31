import { readFile } from 'node:fs/promises';
import { type ConfigOptions, OPTIONS_HINT, readHttpOptions } from '../config/options.ts';
import { type FleetConfig, readFleet } from './file.ts';

/** What a workspace of a fleet may say. */
export type WorkspaceOptions = Omit<ConfigOptions, 'http'>;

/** The file of a fleet, as a program has it; the environment is not read. */
export interface FleetConfigOptions {
  /** Where workspaces live that name none; default an embedded PostgreSQL under `.clarify-sync/`. */
  readonly database?: ConfigOptions['database'];
  /** By name: a label, and the Postgres schema where none is named. */
  readonly workspaces: Readonly<Record<string, WorkspaceOptions>>;
  /** The status server of this process; default none. */
  readonly http?: ConfigOptions['http'];
}

/**
 * Checks options as the file of a fleet is checked.
 *
 * @throws UsageError naming every mistake by its option, none of them quoting a secret.
 */
export async function fleetFromOptions(options: FleetConfigOptions): Promise<FleetConfig> {
  const { http: given, ...file } = options;
  const { http, problems } = await readHttpOptions(given);
  return await readFleet(file, {
    process: { database: null, http, logLevel: 'info' },
    readText: (path) => readFile(path, 'utf8'),
    remote: true,
    problems,
    hint: OPTIONS_HINT,
  });
}
