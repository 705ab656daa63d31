import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Finished, runToEnd } from '../process.ts';

const run = promisify(execFile);

/** Programs with a part of the same job, as their users get them. */
const PEERS = {
  'drt-1.2.1': ['drt-core[postgres]==1.2.1'],
  'dlt-1.31.0': ['dlt[postgres,parquet]==1.31.0', 'adbc-driver-postgresql==1.13.0'],
} as const;

interface RunOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly goodCodes?: readonly number[];
}

/** One that is installed. */
export interface Peer {
  /** Runs a script, or a command of the peer's own where it is given by its name alone. */
  run(script: string, args: readonly string[], options: RunOptions): Promise<Finished>;
}

/**
 * Installs a peer on first use, in a folder of its own among the temporary ones, where it is kept.
 *
 * @throws where there is no python3 with venv, or no package index
 */
export async function installPeer(name: keyof typeof PEERS): Promise<Peer> {
  const folder = join(tmpdir(), `clarify-sync-beside-${name}`);
  const bin = join(folder, 'bin');
  const done = join(folder, 'installed');
  if (!(await readFile(done).then(Boolean, () => false))) {
    process.stderr.write(`Installing ${name} in ${folder}, once.\n`);
    await rm(folder, { recursive: true, force: true });
    await run('python3', ['-m', 'venv', folder]);
    await run(join(bin, 'pip'), ['install', '--quiet', ...PEERS[name]]);
    await writeFile(done, '');
  }
  return {
    run: async (script, args, options) => {
      const path = script.includes('/') ? script : join(bin, script);
      const command = [join(process.cwd(), 'bench/peers/report.py'), path, ...args];
      return await runToEnd(join(bin, 'python'), command, options);
    },
  };
}
