/** One measured number, and the limit it has to keep. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly limit?: Limit;
  /** How it came about, where the name does not say. */
  readonly note?: string;
}

export interface Limit {
  readonly kind: 'at least' | 'at most';
  readonly value: number;
}

export function atLeast(value: number): Limit {
  return { kind: 'at least', value };
}

export function atMost(value: number): Limit {
  return { kind: 'at most', value };
}

export function keepsLimit({ value, limit }: Figure): boolean {
  if (limit === undefined) return true;
  return limit.kind === 'at least' ? value >= limit.value : value <= limit.value;
}

export function describeFigure(figure: Figure): string {
  const { name, value, unit, limit, note } = figure;
  const verdict =
    limit === undefined
      ? ''
      : `  (${limit.kind} ${show(limit.value)}: ${keepsLimit(figure) ? 'kept' : 'MISSED'})`;
  return `${name}: ${show(value)} ${unit}${verdict}${note === undefined ? '' : `  ${note}`}`;
}

/** Whole where it is large, two decimals where it is small. */
export function show(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(2).replace(/\.?0+$/, '');
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** The smallest of the values that at least this share of them does not exceed. NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const position = Math.max(0, Math.ceil(values.length * share) - 1);
  return values.toSorted((a, b) => a - b)[position] ?? Number.NaN;
}
