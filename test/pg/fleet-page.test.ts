import { afterAll, beforeAll, expect, test } from 'vitest';
import { statusSource } from '../../src/app/daemon/status.ts';
import { createFleetServer, type FleetServer } from '../../src/http/fleet-server.ts';
import type { WorkspaceSource } from '../../src/http/status-source.ts';
import { type RunningDaemon, startDaemon } from '../support/daemon.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

const NAMES = ['acme', 'globex'] as const;
const workspaces: TestWorkspace[] = [];
const daemons: RunningDaemon[] = [];
let server: FleetServer;
let url: string;
let cookie = '';
let formToken = '';

beforeAll(async () => {
  for (const _ of NAMES) {
    const workspace = await openWorkspace({
      emulator: { sizes: { person: 12, company: 3 } },
      config: {
        http: null,
        objects: { person: { conflicts: 'manual', fields: {}, history: false, delete: 'park' } },
      },
    });
    workspaces.push(workspace);
    daemons.push(await startDaemon(workspace));
  }
  const sources = workspaces.map(({ session }, n): WorkspaceSource => {
    const facts = { leads: () => true, nextRun: () => null, nudge: () => undefined };
    return {
      ...statusSource(session, facts),
      name: NAMES[n] ?? '',
      crm: 'Clarify',
      database: session.databaseUrl,
      state: () => ({ kind: 'leading' }),
    };
  });
  const fleet = { log: { warn: () => undefined }, version: '1', holder: 'h:1:x' };
  server = createFleetServer(
    { ...fleet, workspaces: () => sources },
    { host: '127.0.0.1', port: 0, token: null, nudgeSecret: null },
  );
  url = await server.start();
});

afterAll(async () => {
  await server?.stop();
  for (const daemon of daemons) await daemon.stop();
  for (const workspace of workspaces) await workspace.stop();
});

async function page(path: string): Promise<string> {
  const answer = await fetch(`${url}${path}`, { headers: { cookie } });
  const set = answer.headers.get('set-cookie');
  if (set !== null) cookie = set.split(';', 1)[0] ?? '';
  const text = await answer.text();
  expect({ status: answer.status, text }).toMatchObject({ status: 200 });
  formToken = /name="form" value="([0-9a-f]+)"/.exec(text)?.[1] ?? formToken;
  return text;
}

const parked = async (n: number) =>
  (await workspaces[n]?.sql(`select id::text from clarify_sync.outbox where state = 'parked'`)) ??
  [];

test('each has its own page, whose links and forms stay below its address', async () => {
  for (const [n, workspace] of workspaces.entries()) {
    await expect
      .poll(() => workspace.sql('select id from clarify.person'), { timeout: 20_000 })
      .toHaveLength(12);
    await workspace.sql(
      'delete from clarify.person where id = (select min(id) from clarify.person)',
    );
    await expect.poll(() => parked(n), { timeout: 20_000 }).toHaveLength(1);
    const name = NAMES[n] ?? '';
    const text = await page(`/w/${name}/`);
    expect(text).toContain(`<h1><bdi>${name}</bdi> <span class="quiet">Clarify</span></h1>`);
    expect(text).toContain('<th scope="row">person</th><td>11</td>');
    const targets = [...text.matchAll(/(?:action|href)="(\/[^"]*)"/g)].map(([, to = '']) => to);
    const own = targets.filter((to) => to.startsWith(`/w/${name}/`));
    const shared = targets.filter((to) => !own.includes(to));
    expect(own.length).toBeGreaterThanOrEqual(3);
    expect(new Set(shared)).toEqual(
      new Set(['/', '/metrics', '/readyz', '/assets/icon.svg', '/assets/page.css']),
    );
  }
  const list = await page('/');
  expect(list.match(/led by this process<\/span><\/td><td>[1-9]/g)).toHaveLength(2);
  expect(list).toContain('2 changes parked');
});

test('a decision is about the workspace in its address alone', async () => {
  await page('/w/globex/');
  const [entry] = await parked(1);
  const id = String(entry?.['id']);
  const answer = await fetch(`${url}/w/globex/outbox/${id}/discard`, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie, origin: url },
    body: new URLSearchParams({ form: formToken }),
  });
  const location = answer.headers.get('location') ?? '';
  expect([answer.status, location.split('?')[0]]).toEqual([303, '/w/globex/']);
  expect(await page(location)).toMatch(/<p id="notice"[^>]*>change \d+: /);
  expect(await parked(1)).toEqual([]);
  expect(await parked(0)).toHaveLength(1);
  expect(await page(`/w/globex/outbox/${id}`)).toContain('<a href="/w/globex/">Status</a>');
});

test('the metrics of both stand side by side', async () => {
  const text = await (await fetch(`${url}/metrics`)).text();
  for (const name of NAMES) {
    expect(text).toContain(`clarify_sync_database_up{workspace="${name}"} 1`);
    expect(text).toMatch(
      new RegExp(`clarify_sync_mirror_rows\\{workspace="${name}",object="person"\\} 1[12]`),
    );
    expect(text).toMatch(
      new RegExp(`clarify_sync_http_requests_total\\{workspace="${name}",endpoint="GET /`),
    );
  }
});
