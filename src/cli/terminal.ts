/** What a command writes to. `process.stdout` and `process.stderr` are two of these. */
export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** Characters in a line of a terminal. */
  readonly columns?: number;
  hasColors?(): boolean;
}

/** Results go to `out`, everything said to a person meanwhile to `err`. */
export interface Terminal {
  readonly out: OutputStream;
  readonly err: OutputStream;
}

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
export type Style = keyof typeof CODES;

export type Paint = (style: Style, text: string) => string;

/** Colours text on a terminal that shows them; Node's `hasColors` knows NO_COLOR and TERM. */
export function painter(stream: OutputStream): Paint {
  if (stream.isTTY !== true || stream.hasColors?.() !== true) return (_style, text) => text;
  return (style, text) => `\u001b[${CODES[style]}m${text}\u001b[0m`;
}

/** What a table is laid out for. */
export interface Screen {
  readonly paint: Paint;
  /** Infinity where nobody's lines end: in a file or a pipe. */
  readonly width: number;
}

export function screenOf(stream: OutputStream): Screen {
  const width = stream.isTTY === true ? stream.columns : undefined;
  return { paint: painter(stream), width: width || Number.POSITIVE_INFINITY };
}

/** C0 and C1 controls, and the marks that turn the direction of writing around. */
const UNPRINTABLE = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Text of somebody else's making, safe to show: a name or value from the CRM may hold escape
 * sequences that a terminal would obey (invariant 13).
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, '\u00b7');
}
