import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { loadFleet } from '../../../src/app/fleet/file.ts';
import { firstColumn, readPage } from './page.ts';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

const composeFile = z.object({
  services: z.object({
    postgres: z.object({ image: z.string(), volumes: z.array(z.string()) }),
    'clarify-sync': z.object({ environment: z.record(z.string(), z.string()) }),
  }),
});
const { services } = composeFile.parse(parse(read('docker-compose.yml')));
const fleetServices = composeFile.parse(parse(read('docker-compose.fleet.yml'))).services;
const compose = services['clarify-sync'].environment;
const documented = firstColumn(readPage('configuration.md'));

test('the compose file sets what the program reads', () => {
  const unknown = Object.keys(compose).filter((name) => !documented.includes(name));
  expect(unknown).toEqual([]);
  expect(compose['DATABASE_URL']).toContain('@postgres:5432/');
});

test('the compose file of a fleet is the same, but for what a fleet sets', () => {
  const { environment } = fleetServices['clarify-sync'];
  expect(Object.keys(environment).filter((name) => !documented.includes(name))).toEqual([]);
  expect(environment['CLARIFY_SYNC_FLEET']).toMatch(/^\/etc\/clarify-sync\//);
  expect(environment['DATABASE_URL']).toContain('@postgres:5432/');
  expect(fleetServices.postgres.image).toBe(services.postgres.image);
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

describe('the manifest for Kubernetes', () => {
  const of = <T>(kind: string, shape: z.ZodType<T>): T =>
    shape.parse(
      parseAllDocuments(read('docs/k8s/clarify-sync.yaml'))
        .map((document): unknown => document.toJS())
        .find((object) => z.looseObject({ kind: z.literal(kind) }).safeParse(object).success),
    );
  const labels = z.record(z.string(), z.string());
  const mounts = z.array(z.object({ name: z.string(), mountPath: z.string() }));
  const probe = z.object({ httpGet: z.object({ path: z.string(), port: z.literal('http') }) });
  const container = z.object({
    env: z.array(z.object({ name: z.string(), value: z.string() })),
    ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
    startupProbe: probe,
    livenessProbe: probe,
    readinessProbe: probe,
    volumeMounts: mounts,
  });
  const deployment = of(
    'Deployment',
    z.object({
      spec: z.object({
        replicas: z.number(),
        selector: z.object({ matchLabels: labels }),
        strategy: z.object({ rollingUpdate: z.object({ maxUnavailable: z.number() }) }),
        template: z.object({
          metadata: z.object({ labels }),
          spec: z.object({ containers: z.tuple([container]) }),
        }),
      }),
    }),
  ).spec;
  const [pod] = deployment.template.spec.containers;
  const { data } = of('ConfigMap', z.object({ data: z.record(z.string(), z.string()) }));
  const fleet = data['fleet.yaml'] ?? '';

  it('asks the routes that there are, and sets what the program reads', () => {
    expect(pod.startupProbe.httpGet.path).toBe('/livez');
    expect(pod.livenessProbe.httpGet.path).toBe('/livez');
    expect(pod.readinessProbe.httpGet.path).toBe('/readyz');
    const env = new Map(pod.env.map(({ name, value }) => [name, value]));
    expect(env.get('CLARIFY_SYNC_HTTP')).toBe(`0.0.0.0:${pod.ports[0]?.containerPort}`);
    const unknown = [...env.keys()].filter(
      (name) => !documented.includes(name.replace(/_FILE$/, '')),
    );
    expect(unknown).toEqual([]);
  });

  it('keeps every secret in a file that is mounted, and makes each that it names', () => {
    const text = read('docs/k8s/clarify-sync.yaml');
    const named = new Set(text.match(/(?<=\/run\/secrets\/clarify-sync\/)[a-z-]+/g));
    const made = new Set([...text.matchAll(/--from-file=([a-z-]+)=/g)].map(([, name]) => name));
    expect(named).toEqual(made);
    expect(pod.volumeMounts.map(({ mountPath }) => mountPath).toSorted()).toEqual([
      '/etc/clarify-sync',
      '/run/secrets/clarify-sync',
    ]);
    expect(fleet).not.toMatch(/apiKey:|url:/);
  });

  it('has a file that the program takes, with every secret it names', async () => {
    const files: Readonly<Record<string, string>> = {
      '/etc/clarify-sync/fleet.yaml': fleet,
      '/run/secrets/clarify-sync/warehouse': 'postgres://me@warehouse/crm',
      '/run/secrets/clarify-sync/http-token': 'a-token-of-our-own',
      '/run/secrets/clarify-sync/acme': 'a-key',
      '/run/secrets/clarify-sync/globex': 'a-key',
    };
    const env = Object.fromEntries(pod.env.map(({ name, value }) => [name, value]));
    const readText = async (path: string) => {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return text;
    };
    const { workspaces, process, unusedVariables } = await loadFleet({ env, readText });
    expect(workspaces.map(({ name }) => name)).toEqual(['acme', 'globex']);
    expect(process.http).toMatchObject({ host: '0.0.0.0', token: 'a-token-of-our-own' });
    expect(unusedVariables).toEqual([]);
  });

  it('selects its own pods, and never takes one away before the next works', () => {
    const selected = deployment.selector.matchLabels;
    const budget = of(
      'PodDisruptionBudget',
      z.object({ spec: z.object({ selector: z.object({ matchLabels: labels }) }) }),
    );
    const service = of('Service', z.object({ spec: z.object({ selector: labels }) }));
    expect(deployment.template.metadata.labels).toMatchObject(selected);
    expect(budget.spec.selector.matchLabels).toEqual(selected);
    expect(service.spec.selector).toEqual(selected);
    expect(deployment.replicas).toBeGreaterThan(1);
    expect(deployment.strategy.rollingUpdate.maxUnavailable).toBe(0);
  });
});
