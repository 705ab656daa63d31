import { writeFileSync } from 'node:fs';
import { drawPlots } from './draw.ts';

for (const [picture, svg] of drawPlots()) {
  writeFileSync(new URL(`../docs/plots/${picture}`, import.meta.url), svg);
}
