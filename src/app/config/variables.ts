import type { Adapter } from '../../crm/adapter.ts';
import { adapterNamed, adapterTitles, defaultAdapter } from '../../crm/adapters.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of the process. Nobody else reads it; loads nothing that help would wait for. */
export function environment(): Environment {
  return process.env;
}

/**
 * The CRM that is in use, for who shows help; the default where what is named is none. A fleet may
 * have workspaces of each, and its file is not read for that.
 */
export function crmInUse(env = environment()): Adapter {
  const adapter = adapterNamed(env['CLARIFY_SYNC_CRM']?.trim() ?? '') ?? defaultAdapter;
  return fleetPath(env) === null ? adapter : { ...adapter, title: adapterTitles.join(' or ') };
}

/** The file of a fleet, which takes the place of the variables of one workspace; null without one. */
export function fleetPath(env = environment()): string | null {
  return env['CLARIFY_SYNC_FLEET']?.trim() || null;
}
