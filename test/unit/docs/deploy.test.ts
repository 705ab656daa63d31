import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { firstColumn, readPage } from './page.ts';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

const composeFile = z.object({
  services: z.object({
    postgres: z.object({ image: z.string(), volumes: z.array(z.string()) }),
    'clarify-sync': z.object({ environment: z.record(z.string(), z.string()) }),
  }),
});
const { services } = composeFile.parse(parse(read('docker-compose.yml')));
const compose = services['clarify-sync'].environment;
const documented = firstColumn(readPage('configuration.md'));

test('the compose file sets what the program reads', () => {
  const unknown = Object.keys(compose).filter((name) => !documented.includes(name));
  expect(unknown).toEqual([]);
  expect(compose['DATABASE_URL']).toContain('@postgres:5432/');
});

test('the example of its variables has every one that it asks for', () => {
  const asked = [...read('docker-compose.yml').matchAll(/\$\{([A-Z_]+):\?/g)].map(
    ([, name]) => name,
  );
  const given = [...read('.env.example').matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name);
  expect(asked.length).toBeGreaterThan(2);
  expect(asked.filter((name) => !given.includes(name))).toEqual([]);
  expect(given.filter((name) => !read('docker-compose.yml').includes(`\${${name}:`))).toEqual([]);
});

test('deploy.md names the files and the image that are there', () => {
  const page = readPage('deploy.md');
  expect(page).toContain(services.postgres.image);
  expect(read('docs/clarify-sync.service')).toContain('ExecStart=');
  expect(services.postgres.volumes).toEqual(['postgres:/var/lib/postgresql/data']);
});
