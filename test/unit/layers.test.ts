import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const source = join(root, 'src');

const features = ['pull', 'push', 'backfill', 'reconcile', 'http'];
const shared = ['conflicts', 'clarify', 'db', 'domain'];

/** Each layer, and what it may import besides itself: only what lies further down. */
const below: Readonly<Record<string, readonly string[]>> = {
  'main.ts': ['cli', 'app', ...features, ...shared, 'emulator'],
  'library.ts': ['app', ...features, ...shared],
  cli: ['app', ...features, ...shared, 'emulator'],
  app: [...features, ...shared, 'emulator'],
  ...Object.fromEntries(features.map((feature) => [feature, shared])),
  conflicts: ['clarify', 'db', 'domain'],
  clarify: ['domain'],
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

/** Without comments: a rule may be talked about anywhere. */
function code({ text }: SourceFile): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

const files = read(source);
const layerOf = (path: string): string => path.split('/')[0] ?? path;
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
    expect(using(/\bprocess\s*\.\s*env\b/)).toEqual(['app/config/config.ts']);
  });

  it('touches signals and exit codes in one module', () => {
    expect(using(/\bprocess\s*\.\s*(exit|exitCode|on|once|abort)\b/)).toEqual(['main.ts']);
  });

  it('writes to the console nowhere', () => {
    expect(using(/\bconsole\s*\.\s*\w+/)).toEqual([]);
  });
});
