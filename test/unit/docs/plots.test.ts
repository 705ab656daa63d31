import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { drawPlots } from '../../../plots/draw.ts';
import { byName, readPage } from './page.ts';

const pictures = fileURLToPath(new URL('../../../docs/plots', import.meta.url));

test('the plots of the pages show the answers beside them: else `npm run docs:plots`', () => {
  const drawn = drawPlots();
  expect(readdirSync(pictures).toSorted(byName)).toEqual([...drawn.keys()].toSorted(byName));
  for (const [picture, svg] of drawn) expect(readPage(`plots/${picture}`)).toBe(svg);
});

test('no number of a plot is missing', () => {
  for (const svg of drawPlots().values()) {
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  }
});
