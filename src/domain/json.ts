import { isLosslessNumber, isSafeNumber, LosslessNumber, parse, stringify } from 'lossless-json';

/** A number JavaScript's double cannot hold exactly, kept as the digits that were sent. */
export { isLosslessNumber as isExactNumber, LosslessNumber as ExactNumber };

export type Json =
  | null
  | boolean
  | number
  | string
  | LosslessNumber
  | readonly Json[]
  | { readonly [key: string]: Json };

/** Only a run of 15 or more digits (or an exponent) can exceed what a double keeps. */
const MAYBE_INEXACT = /\d[\d.]{14,}|\d[eE]/;

/**
 * Parses JSON without losing digits: a number that a double would round comes back as an
 * {@link ExactNumber}. `JSON.parse` does the work wherever no such number can be in the text.
 *
 * @throws SyntaxError where the text is not JSON.
 */
export function parseJson(text: string): unknown {
  if (!MAYBE_INEXACT.test(text)) return JSON.parse(text);
  return parse(text, undefined, (digits) =>
    isSafeNumber(digits) ? Number(digits) : new LosslessNumber(digits),
  );
}

/** The inverse of {@link parseJson}: exact numbers are written digit for digit. */
export function stringifyJson(value: unknown): string {
  return stringify(value) ?? 'null';
}
