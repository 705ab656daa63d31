import { cp, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lastLine, otherTools, outputOf } from '../support/other-tools.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
export const { python, node } = otherTools(here, 'readers');

/** Runs a script of `python/`; gives the JSON it printed last. */
export async function seenByPython(script: string, url: string, ...args: string[]) {
  const folder = await python();
  const text = await outputOf(
    join(folder, 'venv/bin/python'),
    [join(here, 'python', script), ...args],
    { cwd: folder, env: { DATABASE_URL: url, TZ: 'America/New_York' } },
  );
  return lastLine(text);
}

/** Runs a script of `node/` beside the packages it imports; gives the JSON it printed last. */
export async function seenByNode(
  script: string,
  url: string,
  extra: Readonly<Record<string, string>> = {},
) {
  const folder = await node();
  const work = join(folder, 'work');
  await rm(work, { recursive: true, force: true });
  await cp(join(here, 'node'), work, { recursive: true });
  for (const [name, text] of Object.entries(extra)) await writeFile(join(work, name), text);
  const text = await outputOf(
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
  return await outputOf(join(folder, 'venv/bin/dbt'), [...args, '--profiles-dir', project], {
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
