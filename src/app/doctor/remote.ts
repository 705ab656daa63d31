import { isExposed } from '../../crm/wire/oauth/token-file.ts';
import { skewMs } from '../../domain/clock-bounds.ts';
import { SyncError } from '../../domain/errors.ts';
import type { Remote, Undescribed } from '../../domain/remote.ts';
import type { EndpointStats } from '../../domain/traffic.ts';
import { type Config, describeAccess, loginFile, unknownNames } from '../config/config.ts';
import { openRemote } from '../open-remote.ts';
import { describeUndescribed, undescribedOf } from '../workspace-schema.ts';
import { type Check, type DoctorOptions, failed, type ToldWorkspace } from './check.ts';
import { describeSkew } from './database.ts';
import { checkPromises } from './promises.ts';
import { askHooks } from './webhook.ts';

/** A person waits for the answer: the patience that a sync has would be minutes. */
const LIMIT_MS = 10_000;

export interface RemoteFindings extends ToldWorkspace {
  readonly checks: readonly Check[];
}

/** Everything about the CRM, found out with the one request that every sync begins with. */
export async function checkRemote(
  config: Config,
  { log, signal, remoteLimitMs = LIMIT_MS }: DoctorOptions,
): Promise<RemoteFindings> {
  const remote = await openRemote(config, log);
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(noAnswer(config, remoteLimitMs)), remoteLimitMs);
  try {
    const objects = await remote.discover({
      priority: 'push',
      signal: AbortSignal.any([signal, deadline.signal]),
      // What fails at once is given up early enough to be told by what it said.
      withinMs: remoteLimitMs / 2,
    });
    const undescribed = undescribedOf(config, remote);
    const checks: readonly Check[] = [
      reachedApi(config),
      {
        name: 'key',
        state: 'ok',
        detail: `${describeAccess(config.access)}, accepted`,
        hint: null,
      },
      ...(await checkTokens(config)),
      {
        name: 'workspace',
        state: objects.length > 0 ? 'ok' : 'warn',
        detail: `${remote.workspace}, ${objects.length} objects`,
        hint: objects.length > 0 ? null : 'what this key may see holds no object',
      },
      ...checkPromises(remote, objects),
      ...checkDescribed(undescribed),
      ...checkNames(config, objects, remote.undescribed),
      judgeRate(remote.stats(), config.allowance, config.crm.title),
      ...checkClock(config, remote),
    ];
    const hooks = await askHooks(config, remote, AbortSignal.any([signal, deadline.signal]));
    return { checks, schemas: objects, undescribed, workspace: remote.workspace, hooks };
  } catch (error) {
    return {
      checks: await failedRemote(config, error),
      schemas: null,
      undescribed: new Map(),
      workspace: remote.workspace,
      hooks: null,
    };
  } finally {
    clearTimeout(timer);
    await remote.stop();
  }
}

function reachedApi({ settings }: Config): Check {
  return { name: 'api', state: 'ok', detail: settings['apiUrl'] ?? '', hint: null };
}

function noAnswer({ crm, names }: Config, limitMs: number): SyncError {
  return new SyncError(`${crm.title} gave no usable answer within ${limitMs / 1_000} s`, {
    code: 'remote-timeout',
    disposition: 'retry',
    hint: `check ${names['apiUrl']} and the network, then run it again; a sync waits longer`,
  });
}

/** Of what the workspace has, each object that it does not describe to this key. */
function checkDescribed(undescribed: Undescribed): readonly Check[] {
  return describeUndescribed(undescribed).map(({ error }) => {
    return { ...failed('fields', error), state: 'warn' };
  });
}

function checkNames(
  config: Config,
  schemas: Parameters<typeof unknownNames>[1],
  undescribed: Undescribed | undefined,
): readonly Check[] {
  const unknown = unknownNames(config, schemas, undescribed);
  if (unknown.length === 0) return [];
  const known = schemas.map(({ object }) => object).toSorted();
  const detail = `the workspace has nothing of this name: ${unknown.join(', ')}`;
  const hint = `correct the file that CLARIFY_SYNC_CONFIG names; objects: ${known.join(', ')}`;
  return [{ name: 'names', state: 'warn', detail, hint }];
}

/** Which of the three it was: an answer that refuses the key shows that somebody answers. */
async function failedRemote(config: Config, error: unknown): Promise<readonly Check[]> {
  const code = error instanceof SyncError ? error.code : null;
  const reached = reachedApi(config);
  switch (code) {
    case 'remote-unauthorized':
    case 'remote-forbidden':
      return [reached, failed('key', error)];
    case 'login-expired':
    case 'login-missing':
    case 'login-refused':
    case 'login-unreadable':
    case 'login-unwritable':
      return [failed('key', error), ...(await checkTokens(config))];
    case 'remote-workspace-not-found':
      return [reached, failed('workspace', error)];
    default:
      return [failed('api', error)];
  }
}

/** The file of a login is as good as a key, and only its owner should be able to read it. */
async function checkTokens(config: Config): Promise<readonly Check[]> {
  const tokens = loginFile(config);
  if (tokens === null || !(await isExposed(tokens))) return [];
  return [
    {
      name: 'login',
      state: 'warn',
      detail: `others may read ${tokens}`,
      hint: `run \`chmod 600 ${tokens}\``,
    },
  ];
}

/** Below this share of the limit others leave us little room. */
const LITTLE = 0.2;

/** How much of the limit is left, by the endpoint asked just now. */
export function judgeRate(
  stats: readonly Pick<EndpointStats, 'endpoint' | 'limit' | 'remaining'>[],
  allowance: number,
  title: string,
): Check {
  const known = stats.find(({ limit, remaining }) => limit !== null && remaining !== null);
  if (!known?.limit || known.remaining === null) {
    const detail = `${title} tells no limit`;
    return { name: 'rate', state: 'warn', detail, hint: 'it is learned from refusals, then' };
  }
  const { limit, remaining } = known;
  const detail = `${remaining} of ${limit} requests left for ${known.endpoint}, we use up to ${allowance}%`;
  return remaining / limit >= LITTLE
    ? { name: 'rate', state: 'ok', detail, hint: null }
    : { name: 'rate', state: 'warn', detail, hint: 'something else uses up the API limit' };
}

function checkClock({ crm }: Config, remote: Remote): readonly Check[] {
  if (remote.clock === null) return [];
  return [
    describeSkew(`${crm.name} clock`, skewMs(remote.clock), 'check the clock of this machine'),
  ];
}
