import { median } from './figures.ts';
import type { Point } from './parts.ts';
import type { Beside } from './peers/turns.ts';

const WIDTH = 860;
const PANEL = { height: 210, width: 360 };
const ROW = 330;
const COLUMNS = [50, 470] as const;
const COLOURS = { bare: '#b9c2cc', ours: '#2457a6', text: '#1d2733', line: '#d7dde3' };

interface Drawn {
  readonly machine: string;
  readonly grown: readonly Point[];
  readonly delayed: readonly Point[];
  readonly beside: readonly Beside[];
}

/** Records per second: backfill beside the bare loop, then this program beside others. */
export function drawPlot({ machine, grown, delayed, beside }: Drawn): string {
  const rounds = Math.max(
    0,
    ...beside.flatMap(({ sides }) => sides.map((one) => one.rates.length)),
  );
  const below = 40 + ROW;
  const height = rounds > 0 ? below + ROW + 30 : below;
  const panels = [
    drawPairs('as the workspace grows', { left: COLUMNS[0], top: 70 }, grown),
    drawPairs('with latency per request', { left: COLUMNS[1], top: 70 }, delayed),
    ...beside.map((one, index) =>
      drawSides(one, { left: COLUMNS[index] ?? COLUMNS[0], top: below + 42 }),
    ),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="${COLOURS.text}">
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
<text x="50" y="28" font-size="14" font-weight="600">Backfill beside a bare fetch-parse-COPY loop, records per second</text>
<rect x="660" y="17" width="12" height="12" fill="${COLOURS.ours}"/><text x="678" y="28">clarify-sync</text>
<rect x="768" y="17" width="12" height="12" fill="${COLOURS.bare}"/><text x="786" y="28">bare loop</text>
${rounds > 0 ? `<text x="50" y="${below}" font-size="14" font-weight="600">Whole commands, records per second: median of ${rounds} rounds, and from the slowest to the fastest</text>` : ''}
${panels.join('\n')}
<text x="50" y="${height - 14}" font-size="10" opacity="0.7">${escapeText(machine)}</text>
</svg>
`;
}

interface Corner {
  readonly left: number;
  readonly top: number;
}

interface Bar {
  /** Where its middle is. */
  readonly x: number;
  readonly value: number;
  readonly colour: string;
}

function drawPairs(title: string, corner: Corner, points: readonly Point[]): string {
  const step = PANEL.width / points.length;
  const middle = (index: number) => corner.left + step * (index + 0.5);
  const bars = points.flatMap(({ pair }, index) => [
    { x: middle(index) - 24, value: pair.ours.perSecond, colour: COLOURS.ours },
    { x: middle(index) + 24, value: pair.bare.perSecond, colour: COLOURS.bare },
  ]);
  const most = Math.max(...bars.map(({ value }) => value));
  const labels = points.map((one, index) =>
    drawLabel(middle(index), corner, { lines: [one.label], size: 12 }),
  );
  const drawn = bars.map((bar) => drawBar(bar, corner, most));
  return [drawFrame(title, corner), ...drawn, ...labels].join('\n');
}

/** A bar for the median of each side, and a line from its slowest run to its fastest. */
function drawSides({ what, sides }: Beside, corner: Corner): string {
  const step = PANEL.width / sides.length;
  const most = Math.max(...sides.flatMap(({ rates }) => rates));
  const drawn = sides.flatMap(({ name, rates }, index) => {
    const x = corner.left + step * (index + 0.5);
    const bar = {
      x: x - 8,
      value: median(rates),
      colour: index === 0 ? COLOURS.ours : COLOURS.bare,
    };
    const [low, high] = [Math.min(...rates), Math.max(...rates)].map((rate) =>
      heightOf(rate, corner, most),
    );
    const spread = `<line x1="${x + 19}" x2="${x + 19}" y1="${low}" y2="${high}" stroke="${COLOURS.text}"/>`;
    return [
      drawBar(bar, corner, most),
      spread,
      drawLabel(x, corner, { lines: wrap(name), size: 9 }),
    ];
  });
  return [drawFrame(what, corner), ...drawn].join('\n');
}

function heightOf(value: number, { top }: Corner, most: number): string {
  return (top + PANEL.height - (value / most) * (PANEL.height - 20)).toFixed(1);
}

function drawBar({ x, value, colour }: Bar, corner: Corner, most: number): string {
  const y = heightOf(value, corner, most);
  const height = (corner.top + PANEL.height - Number(y)).toFixed(1);
  return `<rect x="${(x - 22).toFixed(1)}" y="${y}" width="44" height="${height}" fill="${colour}"/>
<text x="${x.toFixed(1)}" y="${(Number(y) - 5).toFixed(1)}" text-anchor="middle" font-size="10">${Math.round(value).toLocaleString('en')}</text>`;
}

function drawFrame(title: string, { left, top }: Corner): string {
  const bottom = top + PANEL.height;
  return `<text x="${left}" y="${top - 12}" font-weight="600">${escapeText(title)}</text>
<line x1="${left}" y1="${bottom}" x2="${left + PANEL.width}" y2="${bottom}" stroke="${COLOURS.line}"/>`;
}

interface Label {
  readonly lines: readonly string[];
  readonly size: number;
}

function drawLabel(x: number, { top }: Corner, { lines, size }: Label): string {
  return lines
    .map(
      (line, index) =>
        `<text x="${x.toFixed(1)}" y="${top + PANEL.height + 18 + index * 11}" text-anchor="middle" font-size="${size}">${escapeText(line)}</text>`,
    )
    .join('\n');
}

const LINE = 18;

/** Lines of a width that fits under a bar. */
function wrap(text: string): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1) ?? ''} ${word}`;
    if (lines.length > 0 && longer.length <= LINE) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
