import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

export function readPage(name: string): string {
  return readFileSync(join(root, 'docs', name), 'utf8');
}

/** What the first column of a page's tables names in backticks, in order. */
export function firstColumn(markdown: string): string[] {
  return [...markdown.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = '']) => name);
}

/** The fenced blocks of one language. */
export function fenced(markdown: string, language: string): string[] {
  const blocks = markdown.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'));
  return [...blocks].map(([, text = '']) => text);
}

/**
 * Files below a folder of the project as one text each, by path. Comment lines are left out: they
 * may talk about what is not there.
 */
export function readSources(folder: string, suffix: string): ReadonlyMap<string, string> {
  const files = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  const paths = files
    .filter((entry) => entry.isFile() && entry.name.endsWith(suffix))
    .map(({ parentPath, name }) => join(parentPath, name));
  return new Map(
    paths.map((path) => {
      const text = readFileSync(path, 'utf8').replaceAll(/^\s*(?:\/?\*|\/\/|--(?!>)).*$/gm, '');
      return [path.slice(root.length).replaceAll('\\', '/'), text];
    }),
  );
}

export function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
