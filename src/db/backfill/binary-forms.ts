import { canonicalInstantMs } from '../../domain/calendar.ts';

/** Postgres counts from 2000-01-01. */
const EPOCH_MS = Date.UTC(2000, 0, 1);
const DAY_MS = 86_400_000;

/**
 * Microseconds from the beginning of 2000 to an instant as `instantText` or Postgres writes it: in
 * UTC, with up to six digits after the second. A bigint where a double would round.
 */
export function microsSince2000(text: string): number | bigint {
  const whole = canonicalInstantMs(text);
  if (!Number.isNaN(whole)) return exactMicros(whole, 0);
  const seconds = canonicalInstantMs(`${text.slice(0, 19)}.000Z`);
  return exactMicros(seconds, Number(text.slice(20, -1).padEnd(6, '0')));
}

function exactMicros(ms: number, micros: number): number | bigint {
  const since = (ms - EPOCH_MS) * 1000 + micros;
  return Number.isSafeInteger(since) ? since : BigInt(ms - EPOCH_MS) * 1000n + BigInt(micros);
}

/** Days from 2000-01-01 to `YYYY-MM-DD`. */
export function daysSince2000(text: string): number {
  return (canonicalInstantMs(`${text}T00:00:00.000Z`) - EPOCH_MS) / DAY_MS;
}

/** A decimal number as `numeric` holds it. */
export interface Digits {
  readonly negative: boolean;
  /** Four decimal digits each. */
  readonly groups: readonly number[];
  /** The first group counts 10,000 to the power of this. */
  readonly weight: number;
  /** How many digits there are after the decimal point, zeros at the end included. */
  readonly scale: number;
}

const GROUP = 4;
const SMALL = /^[1-9]\d{0,3}$/;

/** Reads a number as JSON writes it, which `isStorableNumber` has let through. */
export function numericDigits(text: string): Digits {
  if (SMALL.test(text)) return { negative: false, groups: [Number(text)], weight: 0, scale: 0 };
  const negative = text.startsWith('-');
  const [mantissa = '', exponent = '0'] = text.slice(negative ? 1 : 0).split(/[eE]/);
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = whole + fraction;
  const scale = Math.max(0, fraction.length - Number(exponent));
  const first = digits.search(/[1-9]/);
  if (first < 0) return { negative: false, groups: [], weight: 0, scale };
  // How many digits from the first on stand before the point, and the zeros that fill its group.
  const before = whole.length + Number(exponent) - first;
  const filling = (GROUP - (before % GROUP)) % GROUP;
  const filled = '0'.repeat(filling) + digits.slice(first);
  const groups: number[] = [];
  for (let at = 0; at < filled.length; at += GROUP) {
    groups.push(Number(filled.slice(at, at + GROUP).padEnd(GROUP, '0')));
  }
  return { negative, groups, weight: (before + filling) / GROUP - 1, scale };
}
