import type { OpenOptions, OpenRemote } from '../crm/adapter.ts';
import { readTokens } from '../crm/wire/oauth/token-file.ts';
import { UsageError } from '../domain/errors.ts';
import type { HoldChange } from '../domain/traffic.ts';
import { type Config, loginFile } from './config/config.ts';
import type { Logger } from './log.ts';

/** The CRM alone, for what needs no database. The caller stops it. */
export async function openRemote(
  config: Config,
  log: Logger,
  { buffers }: Pick<OpenOptions, 'buffers'> = {},
): Promise<OpenRemote> {
  const { crm, settings, names, access, objects } = config;
  const missing = crm.settings.filter(
    ({ key, required = false }) =>
      required && settings[key] == null && (key !== crm.login?.insteadOf || access === null),
  );
  if (missing.length > 0) {
    throw new UsageError(
      missing.map(({ key, variable }) => `${names[key] ?? variable} is not set`),
    );
  }
  const { allowance: allowancePercent } = config;
  const remote = await crm.open(settings, { names, objects, allowancePercent, log, buffers });
  remote.watchHolds(tellHolds(log, crm.title));
  return remote;
}

/** Says once that an endpoint is to be let alone, and until when; and when that is over. */
function tellHolds(log: Logger, title: string): (change: HoldChange) => void {
  const told = new Set<string>();
  return ({ endpoint, untilMs }) => {
    if (untilMs === null) {
      told.delete(endpoint);
      return log.info({ endpoint }, `${title} lets requests through again`);
    }
    const fields = { endpoint, until: new Date(untilMs).toISOString() };
    const message = `${title} lets no request through for a while; asked about every few minutes`;
    log[told.has(endpoint) ? 'debug' : 'warn'](fields, message);
    told.add(endpoint);
  };
}

/**
 * Tells whose eyes we see with: another key may see other records. Stays the same while a login is
 * refreshed, and where the same person signs in again. A secret, where it is the key.
 */
export async function readAccount(config: Config): Promise<string> {
  const path = loginFile(config);
  const tokens = path === null ? null : await readTokens(path);
  return config.settings['apiKey'] ?? tokens?.account ?? '';
}
