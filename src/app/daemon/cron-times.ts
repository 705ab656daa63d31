import { createTask, type ParsedFields, parse } from 'node-cron';
import { furthestShown, localOffset, type OffsetAt, reached, setBackNear } from './local-time.ts';

/** The instants a cron expression stands for. */
export interface CronTimes {
  /**
   * - `interval` names no hour and no day: the same instants in every zone.
   * - `hours` is every so many hours, of every day: counted on when clocks change, then by them again.
   * - `times` are times of day: each is due once, also where clocks skip it, or show it twice.
   * - `window` goes on every few minutes while clocks show certain times, also when they do so twice.
   */
  readonly kind: 'interval' | 'hours' | 'times' | 'window';
  /** The first one after an instant, in epoch milliseconds; null where there is none. */
  after(atMs: number): number | null;
}

/** Finds the first local time after another that an expression names. */
type NextLocal = (localMs: number) => number | null;

const DAY_S = 86_400;
/** A 29th of February that has to be a certain weekday is at most this far away. */
const MOST_DAYS = 40 * 366;

/** @throws Error where node-cron does not take the expression. */
export function cronTimes(expression: string, offsetAt: OffsetAt = localOffset): CronTimes {
  const fields = parse(expression);
  const nextLocal = nextLocalOf(expression, fields);
  const kind = kindOf(expression, fields);
  const counted = (atMs: number): number | null => {
    const localMs = nextLocal(atMs + offsetAt(atMs));
    return localMs === null ? null : localMs - offsetAt(atMs);
  };
  const once = (atMs: number): number | null => {
    const localMs = nextLocal(furthestShown(atMs, offsetAt));
    return localMs === null ? null : reached(localMs, offsetAt);
  };
  const repeated = (atMs: number): number | null => {
    const back = setBackNear(atMs, offsetAt);
    if (back === null) return null;
    const localMs = nextLocal(Math.max(atMs, back.atMs - 1) + back.offsetMs);
    return localMs === null || localMs >= back.toLocalMs ? null : localMs - back.offsetMs;
  };
  switch (kind) {
    case 'interval':
      return { kind, after: nextLocal };
    case 'hours':
      return { kind, after: counted };
    case 'times':
      return { kind, after: once };
    case 'window':
      return { kind, after: (atMs) => earlier(once(atMs), repeated(atMs)) };
  }
}

function earlier(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}

function isEveryDay({ dayOfMonth, month, dayOfWeek }: ParsedFields): boolean {
  const weekdays = new Set(dayOfWeek.map((day) => (day === 7 ? 0 : day)));
  return hasAll(dayOfMonth, 31) && hasAll(month, 12) && hasAll([...weekdays], 7);
}

function hasAll(values: readonly (number | string)[], count: number): boolean {
  return new Set(values.filter((value) => typeof value === 'number')).size === count;
}

function kindOf(expression: string, fields: ParsedFields): CronTimes['kind'] {
  // Second, minute and hour of six fields, minute and hour of five.
  const ofDay = expression.trim().split(/\s+/).slice(0, -3);
  if (isEveryDay(fields)) {
    if (hasAll(fields.hour, 24)) return 'interval';
    if (ofDay.at(-1)?.startsWith('*/')) return 'hours';
  }
  return ofDay.some((field) => field.includes('*')) ? 'window' : 'times';
}

function nextLocalOf(expression: string, fields: ParsedFields): NextLocal {
  const hours = ascending(fields.hour);
  const minutes = ascending(fields.minute);
  const seconds = ascending(fields.second);

  /** The first second of a day, from that one on, that is named. */
  function timeFrom(second: number): number | null {
    for (const hour of hours) {
      if ((hour + 1) * 3_600 <= second) continue;
      for (const minute of minutes) {
        const startS = hour * 3_600 + minute * 60;
        if (startS + 60 <= second) continue;
        const found = seconds.find((each) => startS + each >= second);
        if (found !== undefined) return startS + found;
      }
    }
    return null;
  }

  const isNamed = isEveryDay(fields) ? () => true : namedDays(expression, fields, timeFrom(0) ?? 0);

  return (localMs) => {
    const fromS = Math.floor(localMs / 1_000) + 1;
    const firstDay = Math.floor(fromS / DAY_S);
    for (let day = firstDay; day < firstDay + MOST_DAYS; day += 1) {
      const time = timeFrom(day === firstDay ? fromS - day * DAY_S : 0);
      if (time !== null && isNamed(day)) return (day * DAY_S + time) * 1_000;
    }
    return null;
  };
}

/**
 * node-cron knows its days (`L`, `15W`, `2#1`). It is asked in UTC, where no time is skipped or comes
 * twice: what it finds by itself in a zone that changes its clocks is an hour or two late, or never
 * (docs/decisions/015). Asked at all it is only where days are named: its first answer has Node read
 * megabytes of what it knows of languages (docs/decisions/045).
 */
function namedDays(
  expression: string,
  { month }: ParsedFields,
  anyTime: number,
): (day: number) => boolean {
  const task = createTask(expression, () => undefined, { timezone: 'UTC' });
  // It is never started, and goes on answering.
  void task.destroy();
  return (day) => {
    const at = new Date((day * DAY_S + anyTime) * 1_000);
    return month.includes(at.getUTCMonth() + 1) && task.match(at);
  };
}

function ascending(values: readonly number[]): readonly number[] {
  return values.toSorted((a, b) => a - b);
}
