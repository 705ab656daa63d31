import * as Plot from '@observablehq/plot';
import { DOMParser } from 'linkedom';
import { readAnswer } from './answer.ts';
import { type Figure, figures } from './figures.ts';

/** Every plot of the pages as SVG, by the name of its file in `docs/plots`: the same whenever it is drawn. */
export function drawPlots(): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(figures).map(([picture, figure]) => [picture, draw(picture, figure)]),
  );
}

function draw(picture: string, figure: Figure): string {
  const style = { fontSize: '13px', background: 'white', color: '#1f2328' };
  const frame = { width: 720, marginTop: 44, marginBottom: 40, marginRight: 40, style };
  const svg = asText(Plot.plot({ ...inDocument(), ...frame, ...figure(readAnswer(picture)) }));
  // Alone in a file it is no part of an HTML page that would say what it is.
  const alone = svg.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ');
  return `${alone.replaceAll(/\d+\.\d{3,}/g, (digits) => String(rounded(Number(digits))))}\n`;
}

/** Node has no document, and this project no types of one. */
function inDocument(): Plot.PlotOptions {
  const document: unknown = new DOMParser().parseFromString('<html></html>', 'text/html');
  return Object.fromEntries([['document', document]]);
}

function asText(drawn: unknown): string {
  if (typeof drawn === 'object' && drawn !== null && 'outerHTML' in drawn) {
    if (typeof drawn.outerHTML === 'string') return drawn.outerHTML;
  }
  throw new TypeError('a plot is an element');
}

/** A hundredth of a pixel: what comes after it may differ from machine to machine, and nobody sees it. */
function rounded(pixels: number): number {
  return Math.round(pixels * 100) / 100;
}
