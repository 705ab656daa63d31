/** One measured number, and the limit it has to keep. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly limit?: { readonly kind: 'at least' | 'at most'; readonly value: number };
  /** How it came about, where the name does not say. */
  readonly note?: string;
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
      : `  (${limit.kind} ${show(limit.value)} ${unit}: ${keepsLimit(figure) ? 'kept' : 'MISSED'})`;
  return `${name}: ${show(value)} ${unit}${verdict}${note === undefined ? '' : `  ${note}`}`;
}

function show(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(2).replace(/\.?0+$/, '');
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
