import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const cache = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url));

/** Other people's programs in the versions that a folder lists, apart from the project's packages. */
export interface OtherTools {
  /** Where Python and what `python/requirements.txt` lists stand. */
  python(): Promise<string>;
  /** Where what `node/package.json` lists stands. */
  node(): Promise<string>;
}

/** @param name of the cache, in which each list of versions is installed once. */
export function otherTools(here: string, name: string): OtherTools {
  const installed = async (
    list: string,
    needs: string,
    install: (folder: string) => Promise<void>,
  ): Promise<string> => {
    const wanted = await readFile(join(here, list));
    const hash = createHash('sha256').update(wanted).digest('hex').slice(0, 12);
    const folder = join(cache, name, hash);
    const done = join(folder, 'installed');
    if (await readFile(done).then(Boolean, () => false)) return folder;
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    process.stderr.write(`Installing ${list} in ${folder}, once.\n`);
    try {
      await install(folder);
    } catch (cause) {
      throw new Error(`${list} could not be installed. ${needs}`, { cause });
    }
    await writeFile(done, '');
    return folder;
  };
  return {
    python: () =>
      installed(
        'python/requirements.txt',
        'It takes python3, 3.11 or newer, with venv and pip, and a package index.',
        async (folder) => {
          await run('python3', ['-m', 'venv', join(folder, 'venv')]);
          const list = join(here, 'python', 'requirements.txt');
          await run(join(folder, 'venv/bin/pip'), ['install', '--quiet', '-r', list]);
        },
      ),
    node: () =>
      installed('node/package.json', 'It takes npm and a package registry.', async (folder) => {
        await cp(join(here, 'node/package.json'), join(folder, 'package.json'));
        const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
        await run('npm', ['install', '--prefix', folder, ...flags]);
      }),
  };
}

/** One run of a program: its standard output, and an error with what it said where it failed. */
export async function outputOf(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<string> {
  const env = { ...process.env, ...options.env };
  try {
    return (await run(command, [...args], { cwd: options.cwd, env, maxBuffer: 1 << 26 })).stdout;
  } catch (cause) {
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : '';
    const out = cause instanceof Error && 'stdout' in cause ? String(cause.stdout) : '';
    throw new Error(`${command} ${args.join(' ')}\n${out}${said}`, { cause });
  }
}

/** The JSON that a program printed last. */
export function lastLine(text: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(text.trim().split('\n').at(-1) ?? '');
  if (typeof parsed !== 'object' || parsed === null) throw new Error(`no facts in ${text}`);
  return Object.fromEntries(Object.entries(parsed));
}
