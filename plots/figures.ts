import * as Plot from '@observablehq/plot';
import type { AnswerRow } from './answer.ts';

/** How a plot is made of the rows of the answer that it shows. */
export type Figure = (rows: readonly AnswerRow[]) => Plot.PlotOptions;

/** From light to dark, so that they can be told apart in print and by whoever sees no red or green. */
const [PALE, MIDDLE, DARK] = ['#a9cbe8', '#4f93cc', '#1c466f'] as const;
const [GREY, RED] = ['#ccd1d9', '#d0644a'] as const;

const OPEN: Series = { discovery: PALE, proposal: MIDDLE, negotiation: DARK };

/** By the name of the file in `docs/plots`. */
export const figures: Readonly<Record<string, Figure>> = {
  'time-in-stage.svg': (rows) => ({
    ...byStage(rows),
    height: 210,
    x: { label: 'days', grid: true },
    marks: [
      Plot.barX(rows, { x: 'median_days', y: 'stage', fill: MIDDLE, insetTop: 4, insetBottom: 4 }),
      Plot.ruleY(rows, { x1: 'median_days', x2: 'slowest_tenth', y: 'stage', stroke: DARK }),
      Plot.tickX(rows, { x: 'slowest_tenth', y: 'stage', stroke: DARK, strokeWidth: 2, inset: 5 }),
      Plot.text(rows, { x: 'slowest_tenth', y: 'stage', text: 'slowest_tenth', ...besides }),
      Plot.ruleX([0]),
      ...key({ median: MIDDLE, 'one in ten stays longer': DARK }),
    ],
  }),
  'stage-velocity.svg': (rows) => ({
    height: 290,
    x: { label: null, tickFormat: 'd', ticks: rows.map(({ year }) => Number(year)) },
    y: { label: null, grid: true, zero: true },
    ...inColours(OPEN),
    marks: [
      Plot.ruleY([0]),
      Plot.line(long(rows, OPEN), { x: 'year', y: 'value', stroke: 'series', strokeWidth: 2.5 }),
      Plot.dot(long(rows, OPEN), { x: 'year', y: 'value', fill: 'series', r: 4 }),
      ...key(OPEN, 'median days'),
    ],
  }),
  'where-lost.svg': (rows) => {
    const outcomes = { went_on: DARK, still_there: GREY, fell_back: PALE, lost: RED };
    return {
      ...byStage(rows),
      height: 190,
      x: { label: 'stays', grid: true },
      ...inColours(outcomes),
      marks: [
        Plot.barX(long(rows, outcomes), {
          x: 'value',
          y: 'stage',
          fill: 'series',
          insetTop: 4,
          insetBottom: 4,
        }),
        Plot.ruleX([0]),
        ...key(outcomes),
      ],
    };
  },
  'cohorts.svg': (rows) => {
    const outcomes = { won: DARK, open: GREY, lost: RED };
    return {
      height: 280,
      x: { label: null, tickFormat: shortQuarter },
      y: { label: null, grid: true },
      ...inColours(outcomes),
      marks: [
        Plot.barY(long(rows, outcomes), {
          x: 'created',
          y: 'value',
          fill: 'series',
          insetLeft: 2,
          insetRight: 2,
        }),
        Plot.ruleY([0]),
        ...key(outcomes, 'deals'),
      ],
    };
  },
  'pipeline.svg': (rows) => ({
    height: 290,
    x: { label: null, type: 'point' },
    y: { label: null, grid: true, transform: (amount: number) => amount / 1_000_000 },
    ...inColours(OPEN),
    marks: [
      Plot.areaY(long(rows, OPEN), {
        x: 'end_of',
        y: 'value',
        fill: 'series',
        order: Object.keys(OPEN),
      }),
      Plot.ruleY([0]),
      ...key(OPEN, 'million'),
    ],
  }),
};

/** The column of each series, and its colour. */
type Series = Readonly<Record<string, string>>;

const besides = { dx: 6, textAnchor: 'start' } as const;

function byStage(rows: readonly AnswerRow[]): Plot.PlotOptions {
  return { marginLeft: 90, y: { label: null, domain: rows.map(({ stage }) => stage) } };
}

function inColours(series: Series): Plot.PlotOptions {
  return { color: { domain: Object.keys(series), range: Object.values(series) } };
}

/** A row for each series of a row. */
function long(rows: readonly AnswerRow[], columns: Series): AnswerRow[] {
  return rows.flatMap((row) =>
    Object.keys(columns).map(
      (series): AnswerRow => ({ ...row, series, value: row[series] ?? null }),
    ),
  );
}

/** Which colour stands for what, and what is counted, above the plot: Plot's own legends are HTML. */
function key(series: Series, unit = ''): Plot.Markish[] {
  const above = { dy: -26, lineAnchor: 'middle' } as const;
  let dx = 6;
  const entries = Object.entries(series).flatMap(([name, fill]) => {
    const text = name.replaceAll('_', ' ');
    const place = { frameAnchor: 'top-left', ...above } as const;
    const marks = [
      Plot.dot([0], { ...place, dx, fill, r: 5, symbol: 'square' }),
      Plot.text([text], { ...place, dx: dx + 10, text: [text], textAnchor: 'start' }),
    ];
    dx += 34 + text.length * 6.5;
    return marks;
  });
  const counted = Plot.text([unit], { frameAnchor: 'top-right', ...above, text: [unit] });
  return [...entries, counted];
}

/** `2024 Q3` as `Q3`, the first of a year with its year below. */
function shortQuarter(quarter: string, index: number): string {
  const [year = '', part = ''] = quarter.split(' ');
  return index === 0 || part === 'Q1' ? `${part}\n${year}` : part;
}
