import type { Point } from './parts.ts';

const WIDTH = 860;
const HEIGHT = 360;
const PANEL = { top: 70, height: 210, width: 360 };
const COLOURS = { bare: '#b9c2cc', ours: '#2457a6', text: '#1d2733', line: '#d7dde3' };

/** Two panels of paired bars, backfill beside the bare loop: as the workspace grows, and delayed. */
export function drawPlot(drawn: {
  readonly machine: string;
  readonly grown: readonly Point[];
  readonly delayed: readonly Point[];
}): string {
  const { machine, grown, delayed } = drawn;
  const panels = [
    drawPanel('as the workspace grows', 50, grown),
    drawPanel('with latency per request', 470, delayed),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12" fill="${COLOURS.text}">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<text x="50" y="28" font-size="16" font-weight="600">Backfill beside a bare fetch-parse-COPY loop, records per second</text>
<rect x="560" y="17" width="12" height="12" fill="${COLOURS.ours}"/><text x="578" y="28">clarify-sync</text>
<rect x="670" y="17" width="12" height="12" fill="${COLOURS.bare}"/><text x="688" y="28">bare loop</text>
${panels.join('\n')}
<text x="50" y="${HEIGHT - 14}" font-size="10" opacity="0.7">${escapeText(machine)}</text>
</svg>
`;
}

function drawPanel(title: string, left: number, points: readonly Point[]): string {
  const most = Math.max(
    ...points.flatMap(({ pair }) => [pair.ours.perSecond, pair.bare.perSecond]),
  );
  const step = PANEL.width / points.length;
  const bottom = PANEL.top + PANEL.height;
  const bar = (x: number, value: number, colour: string) => {
    const height = (value / most) * (PANEL.height - 20);
    return `<rect x="${x.toFixed(1)}" y="${(bottom - height).toFixed(1)}" width="44" height="${height.toFixed(1)}" fill="${colour}"/>
<text x="${(x + 22).toFixed(1)}" y="${(bottom - height - 5).toFixed(1)}" text-anchor="middle" font-size="10">${Math.round(value).toLocaleString('en')}</text>`;
  };
  const pairs = points.map((one, index) => {
    const middle = left + step * (index + 0.5);
    return `${bar(middle - 46, one.pair.ours.perSecond, COLOURS.ours)}
${bar(middle + 2, one.pair.bare.perSecond, COLOURS.bare)}
<text x="${middle.toFixed(1)}" y="${bottom + 18}" text-anchor="middle">${escapeText(one.label)}</text>`;
  });
  return `<text x="${left}" y="${PANEL.top - 12}" font-weight="600">${escapeText(title)}</text>
<line x1="${left}" y1="${bottom}" x2="${left + PANEL.width}" y2="${bottom}" stroke="${COLOURS.line}"/>
${pairs.join('\n')}`;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
