import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import * as z from 'zod';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const PUBLIC_REGISTRY = 'https://registry.npmjs.org/';
const lockfile = z.object({
  packages: z.record(
    z.string(),
    z.object({
      optionalDependencies: z.record(z.string(), z.string()).optional(),
      integrity: z.string().optional(),
      resolved: z.string().optional(),
    }),
  ),
});

/** Where Node would look for `name` from the package at `path`. */
function candidates(path: string, name: string): string[] {
  const parts = path.split(/\/?node_modules\//).filter(Boolean);
  return [...parts.keys(), parts.length].map((depth) =>
    [...parts.slice(0, depth), name].map((part) => `node_modules/${part}`).join('/'),
  );
}

const { packages } = lockfile.parse(
  JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')),
);

// npm leaves out what the machine at hand could not download, and then `npm ci` refuses.
it('the lock file names the optional packages of every platform', () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !candidates(path, name).some((candidate) => candidate in packages),
    ),
  );
  expect(Object.keys(packages).length).toBeGreaterThan(100);
  expect(missing).toEqual([]);
});

it('the lock file says what every package holds, and names no registry but the public one', () => {
  const installed = Object.entries(packages).filter(([path]) => path !== '');
  const unchecked = installed.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'));
  expect(unchecked.map(([path]) => path)).toEqual([]);
  const elsewhere = installed.filter(
    ([, { resolved }]) => resolved !== undefined && !resolved.startsWith(PUBLIC_REGISTRY),
  );
  expect(elsewhere.map(([path]) => path)).toEqual([]);
});
