import type { TroublePart } from '../db/service/trouble.ts';
import { doWithout } from '../domain/do-without.ts';
import { RemoteError, SyncError } from '../domain/errors.ts';
import type { Session } from './session.ts';
import { describeTrouble, type FailedPart } from './trouble.ts';

/** What came of an error that was met while working for one object. */
export interface ObjectError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  /** Until the object is to be tried again; null where that is up to whoever works. */
  readonly retryInMs: number | null;
}

/** By these the CRM refuses a key or an account: of one object, or of all of them. */
const REFUSALS = new Set(['remote-forbidden', 'remote-payment-required']);

/** What an object that is left out does no more. */
const READS: ReadonlySet<TroublePart> = new Set(['pull', 'sweep', 'reconcile']);

/** Of Postgres: about the table it was met at, as far as anybody can tell. */
const ABOUT_A_TABLE = new Set(['database-permission', 'database-statement', 'database-unexpected']);

/** Of Postgres as a whole, of the lease, or of our own end: no object is to blame. */
const NOBODYS = new Set([
  'database-busy',
  'database-closed',
  'database-full',
  'database-read-only',
  'database-restarting',
  'database-unreachable',
  'lease-lost',
  'push-not-started',
  'remote-closed',
  'remote-interrupted',
]);

/**
 * Decides whose an error is that was met while working for one object (invariant 10). The object's
 * own is noted as its trouble, and everything else goes on: an answer of one endpoint, a lock or a
 * change of its table, a bug. What is everybody's for a while is left to whoever works.
 *
 * @throws what ends the service: an error that is everybody's and that no repetition mends, such as a
 *   key that is not accepted, or a refusal of every object.
 */
export async function objectError(
  session: Session,
  part: FailedPart,
  error: unknown,
  signal: AbortSignal,
): Promise<ObjectError> {
  const { object } = part;
  if (signal.aborted) {
    return { code: 'interrupted', message: `${object}: interrupted`, retryInMs: null };
  }
  const met = withAdvice(error, part);
  const { code, message, hint } = describeTrouble(met);
  const named = message.includes(object) ? message : `${object}: ${message}`;
  const told = { code, message: named, ...(hint !== null && { hint }) };
  if (error instanceof SyncError && NOBODYS.has(code)) return { ...told, retryInMs: null };
  if (error instanceof SyncError && error.disposition === 'halt' && !ABOUT_A_TABLE.has(code)) {
    throw error;
  }
  const retryInMs = await session.troubles.failed(part, met);
  if (REFUSALS.has(code) && allAreRefused(session)) throw asHalt(error);
  return { ...told, retryInMs };
}

/** Every object that there is anything to read of is refused, and at least one is. */
function allAreRefused({ tables, troubles }: Session): boolean {
  const codes = tables
    .map(({ object }) => troubles.codeOf({ object, part: 'pull' }))
    .filter((code) => code !== 'remote-not-found');
  return codes.length > 0 && codes.every((code) => code !== null && REFUSALS.has(code));
}

/** Whether what is refused is to be had, or can be done without, nobody but a person knows. */
function withAdvice(error: unknown, { object, part }: FailedPart): unknown {
  if (!(error instanceof RemoteError) || !REFUSALS.has(error.code) || !READS.has(part))
    return error;
  const hint = [error.hint ?? [], doWithout(object)].flat().join(' ');
  return reworded(error, { hint });
}

/** What is refused of every object ends the service, however it was judged when it was met. */
function asHalt(error: unknown): unknown {
  if (!(error instanceof RemoteError) || error.disposition === 'halt') return error;
  return reworded(error, {
    message: `every object is refused: ${error.message}`,
    disposition: 'halt',
  });
}

function reworded(
  error: RemoteError,
  change: Partial<Pick<RemoteError, 'message' | 'hint' | 'disposition'>>,
): RemoteError {
  const { message, code, disposition, hint, status, cause } = error;
  const said = { message, code, disposition, hint, status, cause, ...change };
  return new RemoteError(said.message, said);
}
