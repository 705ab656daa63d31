import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const source = join(root, 'src');

const features = ['pull', 'push', 'backfill', 'reconcile', 'http'];
const shared = ['conflicts', 'crm', 'db', 'domain'];

/** Each layer, and what it may import besides itself: only what lies further down. */
const below: Readonly<Record<string, readonly string[]>> = {
  'main.ts': ['cli', 'app', ...features, ...shared, 'emulator'],
  'library.ts': ['app', ...features, ...shared],
  cli: ['app', ...features, ...shared, 'emulator'],
  app: [...features, ...shared, 'emulator'],
  ...Object.fromEntries(features.map((feature) => [feature, shared])),
  conflicts: ['crm', 'db', 'domain'],
  crm: ['domain'],
  db: ['domain'],
  domain: [],
  emulator: ['domain/json.ts'],
};

interface SourceFile {
  /** Relative to `src`, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

function read(folder: string): SourceFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return {
        path: relative(folder, path).split(sep).join('/'),
        text: readFileSync(path, 'utf8'),
      };
    });
}

function imports({ path, text }: SourceFile): string[] {
  const specifiers = text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(\.{1,2}\/[^']+)'/g);
  return [...specifiers].map(([, target = '']) =>
    relative(source, join(source, dirname(path), target))
      .split(sep)
      .join('/'),
  );
}

const layerOf = (path: string): string => path.split('/')[0] ?? path;

/** Where rooms are, what all of them share, what else they may import, and who may enter them. */
const houses = [
  { house: 'crm', common: 'wire', hall: ['crm/adapter.ts'], door: 'crm/adapters.ts' },
  { house: 'emulator', common: 'kernel', hall: [], door: 'emulator/emulators.ts' },
] as const;

/** Imports that lead into the room of a CRM from elsewhere, or out of what all share. */
function strayImports(file: SourceFile): string[] {
  return houses.flatMap(({ house, common, hall, door }) => {
    const roomOf = (path: string) => new RegExp(`^${house}/([^/]+)/`).exec(path)?.[1] ?? null;
    const from = roomOf(file.path);
    const isOpen = (target: string) => {
      const room = roomOf(target);
      if (room === from || room === common || file.path === door) return true;
      // From outside, everything but a room; from a room, what is said to be open to it.
      if (from === null || room !== null) return room === null;
      return from !== common && hall.some((path) => path === target);
    };
    return imports(file)
      .filter((target) => layerOf(target) === house && !isOpen(target))
      .map((target) => `${file.path} imports ${target}`);
  });
}

/** Without comments: a rule may be talked about anywhere. */
function code({ text }: SourceFile): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

const files = read(source);
const using = (pattern: RegExp): string[] =>
  files.filter((file) => pattern.test(code(file))).map(({ path }) => path);

describe('the architecture', () => {
  it('is looked at as a whole', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(files.flatMap(imports).length).toBeGreaterThan(files.length);
  });

  it('knows every folder', () => {
    const unknown = files.map(({ path }) => layerOf(path)).filter((layer) => !(layer in below));
    expect(unknown).toEqual([]);
  });

  it('imports one way', () => {
    const wrong = files.flatMap((file) => {
      const layer = layerOf(file.path);
      const allowed = below[layer] ?? [];
      return imports(file)
        .filter((target) => {
          const isBelow = allowed.some((name) => name === target || name === layerOf(target));
          return layerOf(target) !== layer && !isBelow;
        })
        .map((target) => `${file.path} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it('gives each CRM a room that knows no other, and one place that knows them all', () => {
    expect(files.flatMap(strayImports)).toEqual([]);
    for (const room of ['crm/wire', 'crm/clarify', 'emulator/kernel', 'emulator/clarify']) {
      expect(files.some(({ path }) => path.startsWith(`${room}/`))).toBe(true);
    }
  });

  it.each([
    ['crm/wire/call.ts', '../clarify/envelope.ts'],
    ['crm/wire/call.ts', '../adapter.ts'],
    ['crm/clarify/reads.ts', '../other/reads.ts'],
    ['crm/clarify/reads.ts', '../adapters.ts'],
    ['crm/adapter.ts', './clarify/adapter.ts'],
    ['app/session.ts', '../crm/clarify/remote.ts'],
    ['http/metrics.ts', '../crm/clarify/remote.ts'],
    ['emulator/kernel/server.ts', '../clarify/room.ts'],
    ['emulator/clarify/room.ts', '../other/room.ts'],
    ['app/demo/demo.ts', '../../emulator/clarify/room.ts'],
  ])('sees that %s must not import %s', (path, target) => {
    const text = `import { it } from '${target}';`;
    expect(strayImports({ path, text })).toHaveLength(1);
    expect(strayImports({ path, text: `const it = await import('${target}');` })).toHaveLength(1);
  });

  it.each([
    ['crm/clarify/reads.ts', '../wire/call.ts'],
    ['crm/clarify/reads.ts', '../adapter.ts'],
    ['crm/clarify/reads.ts', '../../domain/remote.ts'],
    ['crm/wire/call.ts', '../../domain/remote.ts'],
    ['crm/adapters.ts', './clarify/adapter.ts'],
    ['app/session.ts', '../crm/adapter.ts'],
    ['app/session.ts', '../crm/adapters.ts'],
    ['app/session.ts', '../crm/wire/clock.ts'],
    ['emulator/emulators.ts', './clarify/room.ts'],
    ['emulator/clarify/room.ts', '../kernel/room.ts'],
  ])('sees that %s may import %s', (path, target) => {
    expect(strayImports({ path, text: `import { it } from '${target}';` })).toEqual([]);
  });

  it('judges the API by its facts alone, from neither side', () => {
    const schema = read(join(root, 'test', 'api'));
    expect(schema.length).toBeGreaterThan(10);
    expect(schema.filter((file) => /from '[^']*\/src\//.test(code(file)))).toEqual([]);
  });

  it('checks every emulator that a test starts against that schema', () => {
    const starts = read(join(root, 'test')).filter((file) => /\bstartEmulator\b/.test(code(file)));
    expect(starts.map(({ path }) => path)).toEqual(['support/checked-emulator.ts']);
  });

  it('has no folder named after a kind, and no barrel', () => {
    const kinds = /(^|\/)(utils?|helpers?|common|types|misc|shared|index\.ts)(\/|$|\.ts$)/;
    expect(files.map(({ path }) => path).filter((path) => kinds.test(path))).toEqual([]);
  });

  it('keeps files short', () => {
    const all = [...files, ...read(join(root, 'test'))];
    const long = all.filter(({ text }) => text.trimEnd().split('\n').length > 400);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  it('has no file that imports itself by way of others', () => {
    const targets = new Map(files.map((file) => [file.path, imports(file)]));
    const done = new Set<string>();
    const circleFrom = (path: string, way: readonly string[]): readonly string[] | null => {
      if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
      if (done.has(path)) return null;
      for (const target of targets.get(path) ?? []) {
        const circle = circleFrom(target, [...way, path]);
        if (circle) return circle;
      }
      done.add(path);
      return null;
    };
    expect(files.flatMap(({ path }) => circleFrom(path, []) ?? [])).toEqual([]);
  });

  it('reads the environment in one module', () => {
    expect(using(/\bprocess\s*\.\s*env\b/)).toEqual(['app/config/variables.ts']);
  });

  it('takes from zod what it uses: `z` itself is all of it, in every language', () => {
    expect(using(/import (type )?\{[^}]*\bz\b[^}]*\} from 'zod'/)).toEqual([]);
  });

  it('loads packages late through modules of its own: bundled, they have no names by themselves', () => {
    expect(using(/\bimport\('[^.']/)).toEqual([]);
  });

  it('touches signals and exit codes in one module', () => {
    expect(using(/\bprocess\s*\.\s*(exit|exitCode|on|once|abort)\b/)).toEqual(['main.ts']);
  });

  it('writes to the console nowhere', () => {
    expect(using(/\bconsole\s*\.\s*\w+/)).toEqual([]);
  });
});
