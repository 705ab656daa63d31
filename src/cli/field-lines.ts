import { type Json, stringifyJson } from '../domain/json.ts';
import { type Paint, printable } from './terminal.ts';

/** A value as a person reads it: text as it is, everything else as JSON, both on one line. */
export function showValue(value: Json | undefined): string {
  if (value === undefined || value === null) return '(empty)';
  return printable(typeof value === 'string' ? value : stringifyJson(value));
}

/** `  field  before → after`, one line per field, names aligned. */
export function fieldLines(
  fields: readonly { readonly field: string; readonly from?: Json; readonly to: Json }[],
  paint: Paint,
): string[] {
  const width = Math.max(0, ...fields.map(({ field }) => field.length));
  return fields.map(({ field, from, to }) => {
    const before = from === undefined ? '' : `${paint('dim', showValue(from))} → `;
    return `  ${printable(field).padEnd(width)}  ${before}${showValue(to)}`;
  });
}
