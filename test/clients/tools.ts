import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lastLine, otherTools, outputOf } from '../support/other-tools.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const { python, node } = otherTools(here, 'clients');

/** What a script saw: how many calls its client took for right, and the others with its words. */
export interface Seen {
  readonly right: number;
  readonly wrong: Readonly<Record<string, string>>;
}

/** Runs a script of `python/` against an API. */
export async function seenByPython(script: string, url: string): Promise<Seen> {
  const folder = await python();
  const env = { API_URL: url };
  const program = join(folder, 'venv/bin/python');
  return seenIn(await outputOf(program, [join(here, 'python', script)], { cwd: folder, env }));
}

/** Runs a script of `node/`, beside the packages it imports, against an API. */
export async function seenByNode(script: string, url: string): Promise<Seen> {
  const folder = await node();
  const work = join(folder, 'work');
  await rm(work, { recursive: true, force: true });
  await cp(join(here, 'node'), work, { recursive: true });
  const env = { API_URL: url };
  return seenIn(await outputOf(process.execPath, [join(work, script)], { cwd: work, env }));
}

function seenIn(text: string): Seen {
  const { right, wrong } = lastLine(text);
  if (typeof right !== 'number' || typeof wrong !== 'object' || wrong === null) {
    throw new Error(`not what a script says: ${text}`);
  }
  return { right, wrong: Object.fromEntries(Object.entries(wrong)) };
}
