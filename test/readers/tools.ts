import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const here = fileURLToPath(new URL('.', import.meta.url));
const cache = fileURLToPath(new URL('../../node_modules/.cache/readers/', import.meta.url));

/** Where a set of tools stands, installed once for each list of versions. */
async function installed(
  list: string,
  needs: string,
  install: (folder: string) => Promise<void>,
): Promise<string> {
  const wanted = await readFile(join(here, list));
  const hash = createHash('sha256').update(wanted).digest('hex').slice(0, 12);
  const folder = join(cache, hash);
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
}

/** Where Python and its packages stand. */
export const python = () =>
  installed(
    'python/requirements.txt',
    'It takes python3, 3.11 or newer, with venv and pip, and a package index.',
    async (folder) => {
      await run('python3', ['-m', 'venv', join(folder, 'venv')]);
      const list = join(here, 'python', 'requirements.txt');
      await run(join(folder, 'venv/bin/pip'), ['install', '--quiet', '-r', list]);
    },
  );

/** Where the npm packages stand. */
export const node = () =>
  installed('node/package.json', 'It takes npm and a package registry.', async (folder) => {
    await cp(join(here, 'node/package.json'), join(folder, 'package.json'));
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
    await run('npm', ['install', '--prefix', folder, ...flags]);
  });

/** One run of a tool: its standard output, and an error with what it said where it failed. */
async function output(command: string, args: string[], options: { cwd: string; env: Env }) {
  const env = { ...process.env, ...options.env };
  try {
    return (await run(command, args, { cwd: options.cwd, env, maxBuffer: 1 << 26 })).stdout;
  } catch (cause) {
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : '';
    const out = cause instanceof Error && 'stdout' in cause ? String(cause.stdout) : '';
    throw new Error(`${command} ${args.join(' ')}\n${out}${said}`, { cause });
  }
}

type Env = Readonly<Record<string, string>>;

/** Runs a script of `python/`; gives the JSON it printed last. */
export async function seenByPython(script: string, url: string, ...args: string[]) {
  const folder = await python();
  const text = await output(
    join(folder, 'venv/bin/python'),
    [join(here, 'python', script), ...args],
    { cwd: folder, env: { DATABASE_URL: url, TZ: 'America/New_York' } },
  );
  return lastLine(text);
}

/** Runs a script of `node/` beside the packages it imports; gives the JSON it printed last. */
export async function seenByNode(script: string, url: string, extra: Env = {}) {
  const folder = await node();
  const work = join(folder, 'work');
  await rm(work, { recursive: true, force: true });
  await cp(join(here, 'node'), work, { recursive: true });
  for (const [name, text] of Object.entries(extra)) await writeFile(join(work, name), text);
  const text = await output(
    process.execPath,
    ['--import', join(folder, 'node_modules/tsx/dist/loader.mjs'), join(work, script)],
    {
      cwd: work,
      env: {
        DATABASE_URL: url,
        TZ: 'America/New_York',
        PATH: [join(folder, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
        // Only `prisma db pull` and `migrate` need it, and it is fetched from elsewhere.
        PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      },
    },
  );
  return lastLine(text);
}

/** Runs dbt in a project folder of these files; `url` by the variables that libpq knows. */
export async function dbt(project: string, args: string[], url: string): Promise<string> {
  const folder = await python();
  const { hostname, port, username, password, pathname } = new URL(url);
  return await output(join(folder, 'venv/bin/dbt'), [...args, '--profiles-dir', project], {
    cwd: project,
    env: {
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: decodeURIComponent(username),
      PGPASSWORD: decodeURIComponent(password),
      PGDATABASE: pathname.slice(1),
      DBT_SEND_ANONYMOUS_USAGE_STATS: 'false',
    },
  });
}

function lastLine(text: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(text.trim().split('\n').at(-1) ?? '');
  if (typeof parsed !== 'object' || parsed === null) throw new Error(`no facts in ${text}`);
  return Object.fromEntries(Object.entries(parsed));
}
