import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCheckedEmulator } from '../support/checked-emulator.ts';
import { createTestDatabase } from '../support/database.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const TSC = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

const EXAMPLES = ['embed.ts', 'embed-fleet.ts'];

/** Somebody else's project, with the package in it as the registry would have it. */
let project: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'clarify-sync-library-'));
  const modules = join(project, 'node_modules');
  const own = join(modules, 'clarify-sync');
  await mkdir(own, { recursive: true });
  await cp(join(root, 'dist'), join(own, 'dist'), { recursive: true });
  await copyFile(join(root, 'package.json'), join(own, 'package.json'));
  await symlink(join(root, 'migrations'), join(own, 'migrations'));
  await symlink(join(root, 'node_modules'), join(own, 'node_modules'));
  for (const name of ['pino', '@types']) {
    await symlink(join(root, 'node_modules', name), join(modules, name));
  }
  for (const example of EXAMPLES) {
    await copyFile(join(root, 'examples', example), join(project, example));
  }
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noPropertyAccessFromIndexSignature: true,
    types: ['node'],
  };
  await writeFile(
    join(project, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: EXAMPLES }),
  );
});

afterAll(async () => {
  await rm(project, { recursive: true, force: true });
});

test('the examples compile against the declarations, and one keeps both sides in step', async () => {
  // Types of libraries included: what we emit has to be right in their project too.
  await run(process.execPath, [TSC, '-p', project], { cwd: project }).catch((error: unknown) => {
    throw new Error(String((error as { stdout?: string }).stdout));
  });
  const emulator = await startCheckedEmulator({ sizes: { person: 4, company: 2, deal: 2 } });
  const database = await createTestDatabase();
  const child = spawn(process.execPath, [join(project, 'embed.js')], {
    cwd: project,
    env: {
      PATH: process.env['PATH'],
      CLARIFY_API_KEY: emulator.apiKey,
      CLARIFY_API_URL: emulator.url,
      CLARIFY_WORKSPACE: emulator.workspace,
      DATABASE_URL: database.url,
      // Of no concern to a library.
      CLARIFY_SYNC_PUSH: 'nonsense',
    },
  });
  const said = listen(child);
  try {
    await said.saw(/running, \d+ objects/);
    await said.saw(/leading/);
    await said.saw(/person: backfill, 4 new/);
    const [person = ''] = emulator.store.ids('person');
    emulator.store.update('person', person, { job_title: 'Seen' });
    await said.saw(/person: pull, 0 new, 1 changed/);
    const [deal = ''] = emulator.store.ids('deal');
    await database.db.query('update clarify.deal set amount = 12 where id = $1', [deal]);
    await said.saw(/1 records sent to Clarify/);
    expect(emulator.store.get('deal', deal)?.attributes['amount']).toBe(12);
    child.kill('SIGINT');
    await said.saw(/stopped/);
    expect(await said.ended).toBe(0);
    expect(said.text()).not.toContain(emulator.apiKey);
  } finally {
    child.kill('SIGKILL');
    await said.ended;
    await database.drop();
    await emulator.stop();
  }
});

test('the example of a fleet serves what it is told, and stops', async () => {
  const emulator = await startCheckedEmulator({ sizes: { person: 4, company: 2, deal: 2 } });
  const database = await createTestDatabase();
  const { apiKey, workspace, url: apiUrl } = emulator;
  const acme = { apiKey, workspace, apiUrl };
  const child = spawn(process.execPath, [join(project, 'embed-fleet.js')], {
    cwd: project,
    env: {
      PATH: process.env['PATH'],
      WORKSPACES: JSON.stringify({ acme, globex: { ...acme, apiKey: 'revoked' } }),
      DATABASE_URL: database.url,
    },
  });
  const said = listen(child);
  try {
    await said.saw(/running, 2 workspaces, http:\/\/127\.0\.0\.1:\d+/);
    await said.saw(/acme: led here/);
    await said.saw(/acme: person, 4 new/);
    await said.saw(/globex: remote-unauthorized/);
    child.kill('SIGINT');
    await said.saw(/stopped/);
    expect(await said.ended).toBe(0);
    expect(said.text()).not.toContain(apiKey);
  } finally {
    child.kill('SIGKILL');
    await said.ended;
    await database.drop();
    await emulator.stop();
  }
});

test('the page shows what the package offers', async () => {
  const page = await readFile(join(root, 'docs', 'library.md'), 'utf8');
  const events = await readFile(join(root, 'src', 'app', 'sync.ts'), 'utf8');
  const bodies = [...events.matchAll(/interface \w+Events [^{]*\{([\s\S]*?)\n\}/g)];
  const names = bodies.flatMap(([, body = '']) =>
    [...body.matchAll(/^ {2}readonly (\w+):/gm)].map(([, name = '']) => name),
  );
  expect(names.length).toBeGreaterThan(5);
  const listed = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name = '']) => name);
  expect(names.filter((name) => !listed.includes(name))).toEqual([]);
});

function listen(child: ChildProcess) {
  let text = '';
  const looking = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: unknown) => {
      text += String(chunk);
      for (const look of looking) look();
    });
  }
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return {
    ended,
    text: () => text,
    saw: (pattern: RegExp) =>
      new Promise<void>((resolve, reject) => {
        const look = () => {
          if (!pattern.test(text)) return;
          looking.delete(look);
          resolve();
        };
        looking.add(look);
        void ended.then(() => reject(new Error(`ended without ${pattern}:\n${text}`)));
        look();
      }),
  };
}
