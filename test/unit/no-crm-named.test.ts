import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { adapterNamed, adapterNames } from '../../src/crm/adapters.ts';
import { emulators } from '../../src/emulator/emulators.ts';

// The engine serves any CRM: whatever it says, in code, in comments and to people, it says of the
// one in use, whose name comes from its adapter.

const source = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'src');

/** Those that are to come are named as well, so that nobody prepares for them in the engine. */
const names = [
  ...new Set([
    ...adapterNames,
    ...adapterNames.map((name) => adapterNamed(name)?.title.toLowerCase() ?? name),
    ...emulators.map(({ name }) => name),
    'attio',
    'kizen',
    'brevo',
  ]),
];

/** The product has a name, and so have its variables, its control tables and its metrics. */
const PRODUCT = /clarify[-_]sync/gi;

/** Rooms are known by their CRM's name, and so are the two places that choose among them. */
const ALLOWED = [
  ...names.flatMap((name) => [`crm/${name}/`, `emulator/${name}/`]),
  'crm/adapters.ts',
  'emulator/emulators.ts',
];

interface SourceFile {
  /** Relative to `src`, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** Each line that names a CRM where none may be named. */
function namings({ path, text }: SourceFile): string[] {
  if (ALLOWED.some((allowed) => path.startsWith(allowed))) return [];
  const named = new RegExp(names.join('|'), 'i');
  return [path, ...text.replace(PRODUCT, '').split('\n')].flatMap((line, number) =>
    named.test(line) ? [`${path}:${number}: ${line.trim().slice(0, 120)}`] : [],
  );
}

function read(): SourceFile[] {
  return readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return {
        path: relative(source, path).split(sep).join('/'),
        text: readFileSync(path, 'utf8'),
      };
    });
}

test('no file outside a room names a CRM', () => {
  const files = read();
  expect(files.length).toBeGreaterThan(200);
  expect(files.flatMap(namings)).toEqual([]);
});

test.each([
  ['a comment', '// Clarify answers 404 here'],
  ['a message', "throw new Error('Clarify refuses it');"],
  ['a variable', "const key = env['CLARIFY_API_KEY'];"],
  ['a schema', 'await sql.query(`SELECT * FROM clarify.person`);'],
  ['a branch', "if (config.crm.name === 'attio') return;"],
  ['an identifier', 'function kizenArchive(): void {}'],
  ['an address', "const url = 'https://api.brevo.com/v3';"],
])('is seen by the test in %s', (_what, line) => {
  expect(namings({ path: 'push/send.ts', text: `const a = 1;\n${line}\n` })).toEqual([
    expect.stringContaining('push/send.ts:2: '),
  ]);
  expect(namings({ path: 'crm/wire/caller.ts', text: line })).toHaveLength(1);
});

test.each(['crm/clarify/reads.ts', 'emulator/clarify/room.ts', 'crm/adapters.ts'])(
  'is no matter in %s',
  (path) => {
    expect(namings({ path, text: "import { clarify } from './clarify/adapter.ts';" })).toEqual([]);
  },
);

test('is not said of a file by its name', () => {
  expect(namings({ path: 'push/attio.ts', text: '' })).toHaveLength(1);
});

test.each(['`clarify-sync run`', 'CLARIFY_SYNC_PUSH', 'clarify_sync_leader', '.clarify-sync/'])(
  'is not the product’s own: %s',
  (text) => {
    expect(namings({ path: 'cli/program.ts', text })).toEqual([]);
  },
);
