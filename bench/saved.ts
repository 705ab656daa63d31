import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Figure } from './figures.ts';
import type { Point } from './parts.ts';
import type { Beside } from './peers/turns.ts';
import { drawPlot } from './plot.ts';

export interface SavedFigure extends Figure {
  readonly part: string;
  readonly measuredAt: string;
}

export interface Saved {
  readonly machine: string;
  readonly figures: readonly SavedFigure[];
  readonly grown: readonly Point[];
  readonly delayed: readonly Point[];
  readonly beside: readonly Beside[];
}

const FOLDER = 'docs/bench';
const FILE = join(FOLDER, 'latest.json');
const NOTHING: Saved = { machine: '', figures: [], grown: [], delayed: [], beside: [] };

/** Writes down what was measured, and the plot of it. Of parts that were left out the last figures stay. */
export async function saveFigures(measured: Saved, parts: ReadonlySet<string>): Promise<void> {
  const text = await readFile(FILE, 'utf8').catch(() => '{}');
  const before: Saved = { ...NOTHING, ...JSON.parse(text) };
  const fresh = <T>(now: readonly T[], then: readonly T[]) => (now.length > 0 ? now : then);
  const saved: Saved = {
    machine: measured.machine,
    figures: [...before.figures.filter(({ part }) => !parts.has(part)), ...measured.figures],
    grown: fresh(measured.grown, before.grown),
    delayed: fresh(measured.delayed, before.delayed),
    beside: fresh(measured.beside, before.beside),
  };
  await mkdir(FOLDER, { recursive: true });
  await writeFile(FILE, `${JSON.stringify(saved, null, 2)}\n`);
  await writeFile(join(FOLDER, 'latest.svg'), drawPlot(saved));
}
