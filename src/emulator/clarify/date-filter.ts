import { refuse } from './api-error.ts';

/** Half-open: `from` is in, `to` is not. Epoch milliseconds. */
export interface MsRange {
  readonly from: number;
  readonly to: number;
}

export interface DateMode {
  readonly dateFilters: 'instants' | 'days';
  readonly isAfter: 'strict' | 'inclusive';
  readonly nullUntilEdit: boolean;
}

const DAY_MS = 86_400_000;
const ALWAYS: MsRange = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };

/** Null where the text is no date and no instant. */
export function epochMs(text: string): number | null {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

/**
 * `span` is what the operator selects, where that is one stretch of time; `test` says the same
 * of one timestamp and knows the other operators as well.
 *
 * @throws ApiError 400 for a value that is no date
 */
export function dateTest(
  operator: string,
  value: string,
  mode: DateMode,
): { span: MsRange | null; test: (ms: number | null) => boolean } {
  if (operator === 'Is empty') return { span: null, test: (ms) => ms === null };
  if (operator === 'Is not empty') return { span: null, test: (ms) => ms !== null };
  const given = /^\d{4}-\d{2}-\d{2}/.test(value) ? epochMs(value) : null;
  if (given === null) throw refuse(400, 'Not a date in a filter');
  const wholeDay = mode.dateFilters === 'days' || (operator === 'Is' && value.length === 10);
  const start = wholeDay ? Math.floor(given / DAY_MS) * DAY_MS : given;
  const end = wholeDay ? start + DAY_MS : start + 1;
  const span = spanOf(operator, start, end, mode);
  const inside = (ms: number | null): boolean => ms !== null && ms >= span.from && ms < span.to;
  if (operator === 'Is not') return { span: null, test: (ms) => !inside(ms) };
  return { span, test: inside };
}

function spanOf(operator: string, start: number, end: number, mode: DateMode): MsRange {
  switch (operator) {
    case 'Is after':
      return { ...ALWAYS, from: mode.isAfter === 'strict' ? end : start };
    case 'Is on or after':
      return { ...ALWAYS, from: start };
    case 'Is before':
      return { ...ALWAYS, to: start };
    case 'Is on or before':
      return { ...ALWAYS, to: end };
    default:
      return { from: start, to: end };
  }
}
