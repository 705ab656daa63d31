import { afterEach, describe, expect, it } from 'vitest';
import { judgeFleet, type ProbedWorkspace } from '../../../src/http/fleet-probes.ts';
import type { WorkspaceState } from '../../../src/http/status-source.ts';
import { away, type FakeWorkspace, fakeFleet, standingOf } from '../../support/fake-fleet.ts';

const BROKEN: WorkspaceState = {
  kind: 'broken',
  code: 'remote-unauthorized',
  message: 'the key of <b>globex</b> is not accepted',
  hint: 'check apiKey',
  retryAt: null,
};
const EVIL = 'a/b?c#d <script>alert(1)</script> é';
const SECRET = 'a-secret-that-nobody-guesses';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

async function serve(
  workspaces: readonly FakeWorkspace[],
  options: { token?: string | null; nudgeSecret?: string | null } = {},
) {
  const fleet = fakeFleet(workspaces, options);
  const url = await fleet.server.start();
  stops.push(() => fleet.server.stop());
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${url}${path}`, { headers, redirect: 'manual' });
    return { status: answer.status, text: await answer.text(), headers: answer.headers };
  };
  return { ...fleet, url, get };
}

describe('the page of a fleet', () => {
  it('lists every workspace with who leads it and what waits', async () => {
    const { get } = await serve([
      {
        name: 'acme',
        standing: [
          standingOf('person', { rows: 5_000n, pending: 2, parked: 3, openConflicts: 1 }),
          standingOf('deal', { rows: 20n, lagSeconds: 400, lastError: 'walk-ties' }),
        ],
      },
      { name: 'north', state: { kind: 'standing-by' }, holder: 'sync-1:7:bbbbbbbb' },
      { name: 'west', state: { kind: 'standing-by' } },
    ]);
    const { text, headers } = await get('/');
    expect(text).toContain('<a href="/w/acme/"><bdi>acme</bdi></a>');
    expect(text).toContain('<td>5,020</td>');
    expect(text).toContain('<span class="warn">3</span>');
    expect(text).toContain('<code>walk-ties</code>');
    expect(text).toContain('led by this process');
    expect(text).toContain('led by <bdi title="sync-1:7:bbbbbbbb">sync-1:7</bdi>');
    expect(text).toContain('<span class="bad">led by nobody</span>');
    expect(text).toContain('this process leads 1 · <bdi>sync-1:7</bdi> leads 1');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(text).not.toContain('style=');
  });

  it('shows a broken one first, and the others as ever', async () => {
    const { get } = await serve([{ name: 'acme' }, { name: 'globex', state: BROKEN }]);
    const { status, text } = await get('/');
    expect(status).toBe(200);
    expect(text).toContain('1 stopped: <bdi>globex</bdi>');
    expect(text).toContain('the key of &lt;b&gt;globex&lt;/b&gt; is not accepted');
    expect(text).toContain('<tr class="stopped"><th scope="row"><a href="/w/globex/">');
    expect(text.indexOf('id="h-broken"')).toBeLessThan(text.indexOf('id="h-workspaces"'));
    expect(text).toContain('led by this process');
  });

  it('calls none stopped that another process leads', async () => {
    const lease = { holder: 'sync-1:7:bbbbbbbb', epoch: 1n, expiresAt: '' };
    const read = async () => ({ objects: [standingOf('person')], lease });
    const { get } = await serve([{ name: 'globex', state: BROKEN, read }]);
    const { text } = await get('/');
    expect(text).toContain('sync-1:7</bdi>, <span class="warn">stopped here</span>');
    expect(text).not.toContain('class="stopped"');
    expect(text).not.toContain('1 stopped');
  });

  it('knows of one that has just begun that its tables are not there yet', async () => {
    const read = () => Promise.reject(away());
    const { get } = await serve([{ name: 'acme', state: { kind: 'starting' }, read }]);
    const { text } = await get('/');
    expect(text).toContain('<span class="quiet">starting</span>');
    expect(text).not.toContain('stopped');
  });

  it('waits for no database that hangs, whatever else lives there', async () => {
    const hangs = () => new Promise<never>(() => undefined);
    const { get } = await serve([
      { name: 'h1', read: hangs, database: 'away' },
      { name: 'h2', read: hangs, database: 'away' },
      { name: 'h3', read: hangs, database: 'away' },
      { name: 'acme', database: 'here' },
    ]);
    const startedMs = performance.now();
    const { text } = await get('/');
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    expect(text).toContain('<td>1,000</td>');
    expect(text.match(/<td>–<\/td><td>–/g)).toHaveLength(9);
  });

  it('says of which workspace the tables cannot be read', async () => {
    const { get } = await serve([{ name: 'acme', read: () => Promise.reject(away()) }]);
    const list = (await get('/')).text;
    expect(list).toContain('<code>database-unreachable</code>');
    expect(list).toContain('<td>–</td><td>–</td>');
    const page = await get('/w/acme/');
    expect(page.status).toBe(503);
    expect(page.text).toContain('Postgres does not answer');
    expect(page.text).toContain('<a href="/">All workspaces</a>');
  });

  it('escapes a name, in text and in addresses, and finds it again', async () => {
    const { get, url } = await serve([{ name: EVIL }]);
    const { text } = await get('/');
    expect(text).not.toContain('<script>alert');
    const [, href = ''] = /href="(\/w\/[^"]+)"/.exec(text) ?? [];
    expect(new URL(href, url).pathname).toBe(href);
    expect(href.split('/')).toHaveLength(4);
    const page = await get(href);
    expect(page.status).toBe(503);
    expect(page.text).toContain('a/b?c#d &lt;script&gt;alert(1)&lt;/script&gt; é');
    expect(page.text).not.toContain('<script>alert');
  });

  it('knows no workspace that is not in the file, or not any more', async () => {
    const { get, keepOnly } = await serve([{ name: 'acme' }, { name: 'globex' }]);
    expect((await get('/w/globex/')).status).toBe(503);
    keepOnly(['acme']);
    for (const path of ['/w/globex/', '/w/nobody/', '/w//', '/outbox/1', '/w/nobody/outbox/1']) {
      expect([path, (await get(path)).status]).toEqual([path, 404]);
    }
    expect((await get('/')).text).not.toContain('globex');
  });
});

describe('what is decided for one workspace', () => {
  const act = async (url: string, path: string, headers: Record<string, string>, form = 'x') =>
    await fetch(`${url}${path}`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: url, ...headers },
      body: new URLSearchParams({ form }),
    });

  it('is done there, and leads back there', async () => {
    const { url, acted } = await serve([{ name: 'acme' }, { name: 'globex' }], { token: 'secret' });
    const authorization = 'Bearer secret';
    const answer = await act(url, '/w/globex/outbox/7/retry', { authorization });
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toMatch(/^\/w\/globex\/\?notice=/);
    expect(acted).toEqual(['globex retry 7']);
    const nobody = await act(url, '/w/nobody/outbox/7/retry', { authorization });
    expect(nobody.status).toBe(404);
    expect((await act(url, '/outbox/7/retry', { authorization })).status).toBe(404);
  });

  it('takes one login for all of them', async () => {
    const { url, get } = await serve([{ name: 'acme' }, { name: 'globex' }], { token: 'secret' });
    expect((await get('/w/acme/')).status).toBe(401);
    expect((await get('/w/acme/', { accept: 'text/html' })).status).toBe(303);
    const signIn = await fetch(`${url}/sign-in`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: url },
      body: new URLSearchParams({ token: 'secret' }),
    });
    const set = signIn.headers.get('set-cookie') ?? '';
    expect(set).toContain('; Path=/;');
    const cookie = set.split(';', 1)[0] ?? '';
    expect((await get('/', { cookie })).status).toBe(200);
    for (const name of ['acme', 'globex']) {
      expect((await get(`/w/${name}/`, { cookie })).status).toBe(503);
    }
  });
});

describe('the nudge address of a fleet', () => {
  const nudge = async (url: string, path: string) =>
    (await fetch(`${url}${path}`, { method: 'POST', body: '{"object":"deal"}' })).status;

  it('is one for each workspace', async () => {
    const { url, nudged } = await serve([{ name: 'acme' }, { name: 'globex' }], {
      token: 'secret',
      nudgeSecret: SECRET,
    });
    expect(await nudge(url, `/w/globex/nudge/${SECRET}`)).toBe(202);
    expect(await nudge(url, '/w/globex/nudge/wrong')).toBe(404);
    expect(await nudge(url, `/nudge/${SECRET}`)).toBe(404);
    expect(nudged).toEqual(['globex deal']);
  });

  it('opens nothing else', async () => {
    const { get } = await serve([{ name: 'acme' }], { token: 'secret', nudgeSecret: SECRET });
    for (const path of ['/w/acme/nudge/../', '/w/acme/nudge/x', '/w/acme%2Fnudge%2F', '/w/x/']) {
      expect([401, 404]).toContain((await get(path)).status);
    }
    expect((await get('/w/acme/outbox/1')).status).toBe(401);
  });
});

describe('the metrics of a fleet', () => {
  it('carry the workspace on every series', async () => {
    const { get, server } = await serve([
      { name: 'acme', endpoints: 1 },
      { name: 'globex', state: BROKEN },
      { name: 'north', state: { kind: 'standing-by' }, holder: 'sync-1:7:bbbbbbbb' },
    ]);
    server.notes('acme').notePull('person', { inserted: 3, updated: 0, removed: 1 });
    server.notes('acme').noteRequest({ endpoint: 'GET /schemas', durationMs: 30, status: '200' });
    const { text } = await get('/metrics');
    const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(
      series.filter((line) => !/^clarify_sync_\w+\{(le="[^"]+",)?workspace="/.test(line)),
    ).toEqual([]);
    expect(text).toContain('clarify_sync_leader{workspace="acme"} 1');
    expect(text).toContain('clarify_sync_leader{workspace="north"} 0');
    expect(text).toContain('clarify_sync_records_pulled_total{workspace="acme",object="person"} 4');
    expect(text).toContain('clarify_sync_mirror_rows{workspace="acme",object="person"} 1000');
    expect(text).toContain(
      'clarify_sync_workspace_broken{workspace="globex",code="remote-unauthorized"} 1',
    );
    // What another process leads it tells itself.
    expect(text).not.toContain('clarify_sync_mirror_rows{workspace="north"');
  });

  it('forget a workspace that is gone, and count on for the others', async () => {
    const { get, server, keepOnly } = await serve([{ name: 'acme' }, { name: 'globex' }]);
    for (const name of ['acme', 'globex']) {
      server.notes(name).notePush({ delivered: 2, gone: 0, refused: 1, failed: 0, unclear: 0 });
      server.notes(name).noteRequest({ endpoint: 'GET /schemas', durationMs: 30, status: '200' });
      server.notes(name).noteNudge();
    }
    expect((await get('/metrics')).text).toContain('nudges_total{workspace="globex"} 1');
    keepOnly(['acme']);
    const { text } = await get('/metrics');
    expect(text).not.toContain('globex');
    expect(text).toContain('clarify_sync_records_pushed_total{workspace="acme"} 2');
    expect(text).toContain('clarify_sync_nudges_total{workspace="acme"} 1');
  });
});

it('a hundred workspaces are listed within a second, and scraped within two', async () => {
  const objects = ['company', 'deal', 'meeting', 'message', 'person', 'playbook', 'task'];
  const { get, server } = await serve(
    Array.from({ length: 100 }, (_, n) => {
      const standing = objects.map((object) => standingOf(object));
      return { name: `workspace_${n}`, endpoints: 25, standing };
    }),
  );
  for (let n = 0; n < 100; n += 1) {
    for (let e = 0; e < 25; e += 1) {
      const endpoint = `GET /objects/object_${e}/resources`;
      server.notes(`workspace_${n}`).noteRequest({ endpoint, durationMs: 30, status: '200' });
    }
  }
  const timed = async (path: string) => {
    const startedMs = performance.now();
    const { text } = await get(path);
    return { ms: performance.now() - startedMs, text };
  };
  const page = await timed('/');
  expect(page.ms).toBeLessThan(1_000);
  expect(page.text.match(/<tr><th/g)).toHaveLength(101);
  expect(page.text.length).toBeLessThan(150_000);
  const scrape = await timed('/metrics');
  expect(scrape.ms).toBeLessThan(2_000);
  const series = scrape.text.match(/^clarify_sync/gm)?.length ?? 0;
  // As docs/metrics.md says: of a workspace 9 an object, 4 an endpoint, and 17 by itself.
  expect(series).toBe(100 * (7 * 9 + 25 * 4 + 17));
});

describe('readiness of a process of a fleet', () => {
  const reading = { objects: [standingOf('person')], lease: null, problem: null };
  const leads: ProbedWorkspace = { state: 'leading', reading, nextRun: () => null };
  const broken: ProbedWorkspace = { ...leads, state: 'broken' };
  const late: ProbedWorkspace = {
    ...leads,
    reading: { ...reading, objects: [standingOf('person', { lagSeconds: 10_000 })] },
  };
  const unread: ProbedWorkspace = {
    ...leads,
    state: 'starting',
    reading: { ...reading, problem: { code: 'database-unreachable', message: '' } },
  };
  const unreached: ProbedWorkspace = { ...unread, state: 'broken' };
  const untold: ProbedWorkspace = {
    ...broken,
    reading: { ...reading, problem: { code: 'database-statement', message: '' } },
  };
  const leaderless: ProbedWorkspace = { ...leads, state: 'standing-by' };

  it.each([
    ['one that is broken takes nothing out of service', [leads, broken], true],
    ['nor do all, whatever is wrong with them', [broken, broken], true],
    ['nor where no key was ever good and there are no tables', [untold, untold], true],
    ['one that is late does not', [leads, late], true],
    ['all that it leads are late', [late, leaderless], false],
    ['no database answers', [unread, unread], false],
    ['no database answers, and all is stopped for that', [unreached, unreached], false],
    ['one database of two answers', [unread, leads], true],
    ['nobody leads anything', [leaderless, leaderless], false],
    ['the file names nothing', [], true],
  ])('%s', (_what, workspaces, ready) => {
    expect(judgeFleet(workspaces).ready).toBe(ready);
  });

  it('tells numbers, and no name', async () => {
    const { get } = await serve([{ name: 'acme' }, { name: 'globex', state: BROKEN }]);
    const { status, text } = await get('/readyz');
    expect(status).toBe(200);
    expect(text).toContain('ok - led: 1 of 2, 1 by this process');
    expect(text).toContain('ok - broken: 1 of 2');
    expect(text).not.toMatch(/acme|globex/);
  });
});
