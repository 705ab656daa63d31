import { ApiError } from '../kernel/api-error.ts';
import { ValueProblem } from './api-error.ts';
import { type Business, type ObjectState, type StoredRecord, textIn } from './business.ts';
import { forget } from './commit.ts';
import { namesakes } from './records.ts';
import type { WriteRequest } from './write-body.ts';

/** What is asked for where an archived record holds the key; `prompt` refuses. */
export type ArchivedPolicy = 'prompt' | 'unarchive' | 'overwrite';

export function readPolicy(value: unknown): ArchivedPolicy {
  return value === 'unarchive' || value === 'overwrite' ? value : 'prompt';
}

/** Adds what is wrong with the key that a write gives to a record, where a live one has it. */
export function checkTaken(
  business: Business,
  state: ObjectState,
  own: string | null,
  request: WriteRequest,
): void {
  const key = keyOf(state, request);
  if (key === null) return;
  const { names } = business.switches;
  if (!state.isContacts && names === 'free') return;
  const isExact = !state.isContacts && names === 'unique';
  const isTaken = namesakes(state, key).some(
    (each) =>
      !each.archived && each.id !== own && (!isExact || textIn(each, state.keyField) === key),
  );
  if (!isTaken) return;
  const message = `A record with this ${state.keyField.name} already exists.`;
  request.problems.add(request.placeOf(state.keyField), new ValueProblem(message, 'unique'));
}

/**
 * The archived record to bring back, where one holds the key and that is asked for; null where
 * nothing stands in the way any more.
 *
 * @throws ApiError 400, 409
 */
export function settleArchived(
  business: Business,
  state: ObjectState,
  request: WriteRequest,
  policy: ArchivedPolicy,
): StoredRecord | null {
  const key = keyOf(state, request);
  if (key === null || business.switches.archivedNames === 'free') return null;
  const holders = namesakes(state, key).filter((each) => each.archived);
  const [holder] = holders;
  if (holder === undefined) return null;
  if (policy === 'unarchive') return holder;
  if (policy === 'overwrite') {
    for (const each of holders) forget(business, state, each);
    return null;
  }
  throw archivedHolder(business, state, request, holder);
}

function archivedHolder(
  { switches }: Business,
  state: ObjectState,
  request: WriteRequest,
  holder: StoredRecord,
): ApiError {
  const detail = `An archived record already has this ${state.keyField.name}.`;
  if (switches.archivedRefusal === '400 entry') {
    request.problems.add(request.placeOf(state.keyField), new ValueProblem(detail, 'conflict'));
    request.problems.settle();
  }
  const status = switches.archivedRefusal === '409' ? 409 : 400;
  const archived_record = { id: holder.id, name: textIn(holder, state.keyField) };
  return new ApiError(status, { detail, code: 'conflict', archived_record });
}

/** The key that the write gives; null where it gives none. */
export function keyOf({ keyField }: ObjectState, { changes }: WriteRequest): string | null {
  const key = changes.get(keyField);
  return typeof key === 'string' ? key : null;
}
