import type { Json } from '../../domain/json.ts';
import { ApiError } from '../kernel/api-error.ts';
import type { ErrorForm, RecordForm } from '../kernel/model.ts';
import type { Switches } from './switches.ts';

export type ErrorCode =
  | 'not_found'
  | 'required'
  | 'unique'
  | 'invalid'
  | 'does_not_exist'
  | 'forbidden_field_write'
  | 'permission_required'
  | 'conflict'
  | 'limit_exceeded'
  | 'payload_exceeded'
  | 'invalid_identifier';

/** Codes of what is refused for its status alone. */
const CODES: Readonly<Record<number, readonly [code: string, detail: string]>> = {
  400: ['invalid', 'Invalid input.'],
  401: ['authentication_failed', 'Incorrect authentication credentials.'],
  403: ['permission_required', 'You do not have permission to perform this action.'],
  404: ['not_found', 'Not found.'],
  409: ['conflict', 'The record is being written by somebody else.'],
  429: ['throttled', 'Request was throttled.'],
};

export function refuse(
  status: number,
  code: ErrorCode | 'authentication_failed' | 'throttled',
  detail: string,
): ApiError {
  return new ApiError(status, { detail, code });
}

export function notFound(): ApiError {
  return refuse(404, 'not_found', 'Not found.');
}

export function forbidden(): ApiError {
  const [code, detail] = CODES[403] ?? [];
  return new ApiError(403, { detail, code });
}

/** What is wrong with one value. */
export class ValueProblem extends Error {
  override readonly name = 'ValueProblem';
  readonly code: ErrorCode;

  constructor(message: string, code: ErrorCode = 'invalid') {
    super(message);
    this.code = code;
  }
}

type Items = Pick<Switches, 'errorItems'>;

function item({ errorItems }: Items, { message, code }: ValueProblem): Json {
  return errorItems === 'strings' ? message : { message, code };
}

/** By a key of the body. */
export function wrongKey(
  switches: Items,
  key: string,
  message: string,
  code: ErrorCode = 'invalid',
): ApiError {
  return new ApiError(400, { [key]: [item(switches, new ValueProblem(message, code))] });
}

/** What is wrong with the fields of one write, told of each entry at its place. */
export interface Problems {
  /** @param place of the entry in what was sent; null for what is wrong with the whole */
  add(place: number | null, problem: ValueProblem, member?: 'id' | 'value'): void;
  /** @throws ApiError 400, 403 where that is why one is wrong */
  settle(): void;
}

export function createProblems(switches: Items, entries: number): Problems {
  const general: Json[] = [];
  const fields: Record<string, Json>[] = Array.from({ length: entries }, () => ({}));
  const codes = new Set<ErrorCode>();
  return {
    add(place, problem, member = 'value') {
      codes.add(problem.code);
      const entry = place === null ? undefined : fields[place];
      if (entry === undefined) general.push(item(switches, problem));
      else entry[member] = [item(switches, problem)];
    },
    settle() {
      if (codes.size === 0) return;
      const isForbidden = codes.has('forbidden_field_write') || codes.has('permission_required');
      const told = general.length > 0 ? { non_field_errors: general } : {};
      throw new ApiError(isForbidden ? 403 : 400, { ...told, fields });
    },
  };
}

export const errorForm: Omit<ErrorForm, 'unknownPath'> = {
  body(status, form) {
    if (form === 'gateway') return { message: 'Upstream error' };
    const [code, detail] = CODES[status] ?? ['error', 'A server error occurred.'];
    return { detail, code };
  },
  badTarget: { detail: 'The target is no path.', code: 'invalid' },
  retryAfter: 'seconds',
  tooLarge: () => refuse(413, 'payload_exceeded', 'The body is too large.'),
  badJson: () => refuse(400, 'invalid', 'JSON parse error.'),
};

export const recordForm: RecordForm = {
  sentIn: ['record_ids', 'fields'],
  shownIn: ['results'],
  fieldsIn: 'fields',
  idOf: ({ id }) => id,
  leftOut: (pointers) => ({ errors: pointers.map((pointer) => `${pointer} was left out.`) }),
};
