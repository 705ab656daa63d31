import { count, span } from './format.ts';
import { type Html, html } from './html.ts';
import type { Series } from './series.ts';

const WIDTH = 640;
const HEIGHT = 140;
/** Room for the figure at the top, and for the times below. */
const TOP = 18;
const FOOT = 18;
const PLOT = HEIGHT - TOP - FOOT;

/** Throughput both ways and lag, as drawings that need neither script nor style attributes. */
export function plots(
  series: Series,
  { crm, bucketSeconds }: { readonly crm: string; readonly bucketSeconds: number },
): Html {
  const hours = span(series.at.length * bucketSeconds);
  return html`<div class="plots">${throughput(series, crm, hours)}${lag(series, hours)}</div>`;
}

function throughput({ at, pulled, pushed }: Series, crm: string, hours: string): Html {
  const highest = Math.max(1, ...pulled, ...pushed);
  const width = WIDTH / at.length;
  const y = (value: number) => (value / highest) * PLOT;
  const bars = (values: readonly number[], kind: string, shift: number) =>
    values.map((value, n) => {
      if (value === 0) return null;
      // What happened at all is to be seen, however little beside a backfill.
      const height = Math.max(1.5, y(value));
      return html`<rect class="${kind}" x="${(n * width + shift).toFixed(2)}" y="${(TOP + PLOT - height).toFixed(2)}" width="${(width * 0.4).toFixed(2)}" height="${height.toFixed(2)}"/>`;
    });
  const inTotal = pulled.reduce((a, b) => a + b, 0);
  const outTotal = pushed.reduce((a, b) => a + b, 0);
  const summary = `${count(inTotal)} rows from ${crm}, ${count(outTotal)} records to ${crm} in the last ${hours}; at most ${count(highest)} at a time`;
  return figure(
    'Throughput',
    summary,
    html`<p class="legend"><span class="key in"></span> from ${crm}: ${count(inTotal)} <span class="key out"></span> to ${crm}: ${count(outTotal)}</p>`,
    html`${frame(at, count(highest))}${bars(pulled, 'in', width * 0.08)}${bars(pushed, 'out', width * 0.52)}`,
  );
}

function lag({ at, lagSeconds }: Series, hours: string): Html {
  const known = lagSeconds.flatMap((value) => (value === null ? [] : [value]));
  const highest = Math.max(1, ...known);
  const step = WIDTH / at.length;
  const points = lagSeconds.flatMap((value, n) => {
    if (value === null) return [];
    return [
      `${(n * step + step / 2).toFixed(1)},${(TOP + PLOT - (value / highest) * PLOT).toFixed(1)}`,
    ];
  });
  const last = known.at(-1);
  const summary =
    last === undefined
      ? 'nothing has been read yet'
      : `${span(last)} now, at most ${span(highest)} in the last ${hours}`;
  return figure(
    'Lag of the slowest object',
    summary,
    html`<p class="legend"><span class="key lag"></span> ${summary}</p>`,
    html`${frame(at, span(highest))}${
      points.length === 1
        ? html`<circle class="lag" cx="${points[0]?.split(',')[0] ?? ''}" cy="${points[0]?.split(',')[1] ?? ''}" r="2.5"/>`
        : html`<polyline class="lag" points="${points.join(' ')}"/>`
    }`,
  );
}

function figure(title: string, summary: string, legend: Html, drawing: Html): Html {
  return html`<figure>
<figcaption><h3>${title}</h3>${legend}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}: ${summary}">${drawing}</svg>
</figure>`;
}

/** Base line, the highest value, and a time at both ends and in the middle, in UTC. */
function frame(at: readonly number[], highest: string): Html {
  const base = TOP + PLOT;
  const clock = (seconds: number | undefined) =>
    seconds === undefined ? '' : new Date(seconds * 1_000).toISOString().slice(11, 16);
  return html`<line class="axis" x1="0" x2="${WIDTH}" y1="${TOP}" y2="${TOP}"/><line class="axis" x1="0" x2="${WIDTH}" y1="${base}" y2="${base}"/>
<text x="0" y="${TOP - 5}">${highest}</text><text x="0" y="${HEIGHT - 4}">${clock(at[0])}</text>
<text x="${WIDTH / 2}" y="${HEIGHT - 4}" text-anchor="middle">${clock(at[Math.floor(at.length / 2)])}</text><text x="${WIDTH}" y="${HEIGHT - 4}" text-anchor="end">${clock(at.at(-1))} UTC</text>`;
}
