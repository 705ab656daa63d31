import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningDaemon, startDaemon } from '../support/daemon.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

const EVIL = '<script>alert("x")</script>';
let workspace: TestWorkspace;
let daemon: RunningDaemon;
let cookie = '';
let formToken = '';

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 12, company: 3 } },
    config: {
      http: { host: '127.0.0.1', port: 0, token: null, nudgeSecret: null },
      objects: { person: { conflicts: 'manual', fields: {}, history: false, delete: 'push' } },
      massDelete: { rows: 5, percent: 100 },
    },
  });
  daemon = await startDaemon(workspace);
});

afterAll(async () => {
  await daemon?.stop();
  await workspace?.stop();
});

async function page(path = '/'): Promise<string> {
  const answer = await fetch(`${daemon.statusUrl}${path}`, { headers: { cookie } });
  const set = answer.headers.get('set-cookie');
  if (set !== null) cookie = set.split(';', 1)[0] ?? '';
  const text = await answer.text();
  expect({ status: answer.status, text }).toMatchObject({ status: 200 });
  formToken = /name="form" value="([0-9a-f]+)"/.exec(text)?.[1] ?? formToken;
  return text;
}

/** Sends a form as the page would; its notice says what came of it. */
async function submit(path: string, form: Record<string, string> = {}): Promise<string> {
  const answer = await fetch(`${daemon.statusUrl}${path}`, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie, origin: daemon.statusUrl },
    body: new URLSearchParams({ form: formToken, ...form }),
  });
  expect(answer.status).toBe(303);
  const text = await page(answer.headers.get('location') ?? '');
  return /<p id="notice"[^>]*>([^<]*)/.exec(text)?.[1] ?? '';
}

/** Both sides change the title of one person before the service hears of either. */
async function contest(local: string, remote: string): Promise<bigint> {
  const [id = ''] = workspace.emulator.store.ids('person').toSorted();
  await workspace.sql('begin');
  await workspace.sql('update clarify.person set job_title = $2 where id = $1', [id, local]);
  // Before the commit: neither a pull nor a push may come between the two edits.
  workspace.emulator.store.update('person', id, { job_title: remote });
  await workspace.sql('commit');
  const open = async () => {
    const [conflict] = await workspace.session.db.query<{ id: bigint }>(
      `select id from clarify_sync.conflict where resolution = 'open'`,
    );
    return conflict?.id;
  };
  await expect.poll(open, { timeout: 25_000 }).toBeDefined();
  return (await open()) ?? 0n;
}

function remoteTitle(): unknown {
  const [id = ''] = workspace.emulator.store.ids('person').toSorted();
  return workspace.emulator.store.get('person', id)?.attributes['job_title'];
}

test('every object is shown, and that nothing waits', async () => {
  const pulled = () =>
    workspace.sql(
      `select from clarify_sync.run where kind = 'pull' and state = 'ok' and object = 'person'`,
    );
  await expect.poll(pulled, { timeout: 20_000 }).toHaveLength(1);
  await expect.poll(page, { timeout: 25_000 }).toContain('<th scope="row">person</th><td>12</td>');
  const text = await page();
  expect(text).toContain('Nothing waits for you');
  expect(text).toContain('this process leads');
  expect(text).not.toContain(workspace.emulator.apiKey);
  await expect.poll(page, { timeout: 25_000 }).toMatch(/<strong>person<\/strong> 12 new/);
});

test('a conflict shows all three sides, and a script in one is text', async () => {
  await contest(EVIL, 'Remote title');
  await expect
    .poll(page, { timeout: 25_000 })
    .toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;');
  const text = await page();
  expect(text).not.toContain(EVIL);
  expect(text.match(/<dt>/g)).toHaveLength(3);
  expect(text).toContain('<dd><bdi>Remote title</bdi></dd>');
  expect(text).toContain('1 conflict open');
});

test('a form of another page, or none, decides nothing', async () => {
  const [conflict] = await workspace.sql(`select id from clarify_sync.conflict`);
  const path = `/conflicts/${String(conflict?.['id'])}/take-local`;
  expect(await submit(path, { form: 'made up' })).toContain('nothing was done');
  const foreign = await fetch(`${daemon.statusUrl}${path}`, {
    method: 'POST',
    headers: { cookie, origin: 'http://evil.example' },
    body: new URLSearchParams({ form: 'x' }),
  });
  expect(foreign.status).toBe(403);
  expect(await page()).toContain('1 conflict open');
});

test('take local sends it', async () => {
  const [conflict] = await workspace.sql(`select id from clarify_sync.conflict`);
  const id = String(conflict?.['id']);
  expect(await submit(`/conflicts/${id}/take-local`)).toContain('due to be sent');
  await expect.poll(remoteTitle, { timeout: 25_000 }).toBe(EVIL);
  const [after] = await workspace.sql(
    'select resolution, resolved_by from clarify_sync.conflict where id = $1',
    [id],
  );
  expect(after).toEqual({ resolution: 'local', resolved_by: 'status page' });
  expect(await submit(`/conflicts/${id}/take-remote`)).toContain('settled already');
  const pushes = () => workspace.sql(`select from clarify_sync.run where kind = 'push'`);
  await expect.poll(pushes, { timeout: 25_000 }).toHaveLength(1);
});

test('take remote puts it back into the row', async () => {
  const id = await contest('Local again', 'Remote again');
  expect(await submit(`/conflicts/${id}/take-remote`)).toContain('remote value restored');
  const [row] = await workspace.sql(
    `select job_title from clarify.person where job_title like '%again'`,
  );
  expect(row).toEqual({ job_title: 'Remote again' });
  expect(remoteTitle()).toBe('Remote again');
  await expect.poll(page, { timeout: 25_000 }).toContain('Nothing waits for you');
});

test('a mass delete waits, is compared with Clarify, and goes once approved', async () => {
  await workspace.sql(
    `delete from clarify.person where id in (select id from clarify.person order by id desc limit 7)`,
  );
  await expect.poll(page, { timeout: 25_000 }).toContain('Approve the 7 deletes below');
  const text = await page();
  const ids = [...text.matchAll(/name="id" value="(\d+)"/g)].map(([, id = '']) => id);
  expect(ids).toHaveLength(7);
  expect(await page(`/outbox/${ids[0]}`)).toContain('In Clarify (remote)');
  const [first = '', ...others] = ids;
  expect(await submit(`/outbox/${first}/discard`)).toContain('remote value restored');
  for (const id of others) expect(await submit(`/outbox/${id}/approve`)).toContain('approved');
  await expect
    .poll(() => workspace.emulator.store.ids('person').length, { timeout: 25_000 })
    .toBe(6);
  expect(await workspace.sql('select id from clarify.person')).toHaveLength(6);
});

test('what is not there is not found', async () => {
  for (const path of ['/outbox/0', '/outbox/999999', '/outbox/x', '/nothing']) {
    expect((await fetch(`${daemon.statusUrl}${path}`)).status).toBe(404);
  }
});
