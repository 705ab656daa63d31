import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { createClarifyRemote } from '../../../../../src/crm/clarify/remote.ts';
import { systemClock } from '../../../../../src/crm/wire/clock.ts';
import { oauthCredentials } from '../../../../../src/crm/wire/oauth/oauth-credentials.ts';
import { readTokens } from '../../../../../src/crm/wire/oauth/token-file.ts';
import type { Emulator } from '../../../../../src/emulator/clarify/emulator.ts';
import { names, type Place, place, signIn } from './signed-in.ts';

const options = { priority: 'pull', signal: new AbortController().signal } as const;

function refreshes(emulator: Emulator): number {
  return emulator.stats().endpoints['POST /oauth2/token']?.requests ?? 0;
}

/** Reads users as often as asked, all at once, over one connection of its own. */
async function readUsers({ emulator, path }: Place, times = 1): Promise<void> {
  const remote = createClarifyRemote({
    baseUrl: emulator.url,
    workspace: emulator.workspace,
    apiKey: oauthCredentials({ path, names }),
    allowancePercent: 100,
  });
  try {
    await Promise.all(Array.from({ length: times }, () => remote.readUsers(options)));
  } finally {
    await remote.stop();
  }
}

async function signedIn(switches: NonNullable<Parameters<typeof place>[0]>['switches'] = {}) {
  const here = await place({ switches });
  await signIn(here);
  here.emulator.resetStats();
  return here;
}

test('requests carry the access token, and no other is asked for while it is good', async () => {
  const here = await signedIn();
  await readUsers(here, 3);
  expect(refreshes(here.emulator)).toBe(0);
});

test('many requests that find the token revoked ask for one other', async () => {
  const here = await signedIn();
  const before = await readTokens(here.path);
  here.emulator.revoke('access');
  await readUsers(here, 20);
  expect(refreshes(here.emulator)).toBe(1);
  const after = await readTokens(here.path);
  expect(after?.accessToken).not.toBe(before?.accessToken);
  expect(after?.refreshToken).not.toBe(before?.refreshToken);
  expect(after?.account).toBe(before?.account);
});

test('several processes that share the file ask for one other', async () => {
  const here = await signedIn();
  here.emulator.revoke('access');
  // A server that ends a login whose refresh token comes twice would fail all but the first.
  await Promise.all(Array.from({ length: 5 }, () => readUsers(here, 4)));
  expect(refreshes(here.emulator)).toBe(1);
});

test('a token is asked for before the old one ends', async () => {
  const here = await signedIn({ accessTokenSeconds: 100 });
  const tokens = await readTokens(here.path);
  const obtainedAtMs = tokens?.obtainedAtMs ?? 0;
  const at = (ms: number) =>
    oauthCredentials({
      path: here.path,
      names,
      clock: { ...systemClock, nowMs: () => obtainedAtMs + ms },
    })();
  await at(89_000);
  expect(refreshes(here.emulator)).toBe(0);
  const renewed = await at(91_000);
  expect(refreshes(here.emulator)).toBe(1);
  expect(renewed.token).not.toBe(tokens?.accessToken);
});

test('while no other can be had, the old one serves to its end', async () => {
  const here = await signedIn({ accessTokenSeconds: 100 });
  const tokens = await readTokens(here.path);
  let afterMs = 95_000;
  const clock = { ...systemClock, nowMs: () => (tokens?.obtainedAtMs ?? 0) + afterMs };
  const give = oauthCredentials({ path: here.path, names, clock });
  here.emulator.faults.add({ kind: 'status', status: 503, path: '/oauth2/token' });
  expect((await give()).token).toBe(tokens?.accessToken);
  expect((await give()).token).toBe(tokens?.accessToken);
  expect(refreshes(here.emulator)).toBe(1);
  afterMs = 101_000;
  await expect(give()).rejects.toMatchObject({ code: 'login-bad-answer', disposition: 'retry' });
});

test('a login that has ended says to sign in again, and stops', async () => {
  const here = await signedIn();
  here.emulator.revoke('logins');
  await expect(readUsers(here)).rejects.toMatchObject({
    code: 'login-expired',
    disposition: 'halt',
    hint: 'run `clarify-sync login` again',
  });
});

test('a server that gives no refresh token has the login end with the access token', async () => {
  const here = await signedIn({ refreshTokens: 'none' });
  await readUsers(here);
  here.emulator.revoke('access');
  await expect(readUsers(here)).rejects.toMatchObject({ code: 'login-expired' });
  expect(refreshes(here.emulator)).toBe(0);
});

test('signing in again is enough: what runs takes it up', async () => {
  const here = await signedIn();
  const give = oauthCredentials({ path: here.path, names });
  const old = await give();
  here.emulator.revoke('logins');
  await signIn(here);
  const renewed = await give(old.token);
  expect(renewed.token).toBe((await readTokens(here.path))?.accessToken);
});

test('a lock that a killed process left is taken away', async () => {
  const here = await signedIn();
  here.emulator.revoke('access');
  const lock = `${here.path}.lock`;
  await mkdir(lock);
  const longAgo = new Date(Date.now() - 120_000);
  await utimes(lock, longAgo, longAgo);
  await Promise.all([readUsers(here), readUsers(here)]);
  expect(refreshes(here.emulator)).toBe(1);
});

test.each([
  ['nothing', ''],
  ['half a file', '{"version":1,"clientId":"demo-cl'],
  ['another form', '{"version":2}'],
])('%s in the file is no login, and is not quoted', async (_what, text) => {
  const here = await place();
  await mkdir(dirname(here.path), { recursive: true });
  await writeFile(here.path, text);
  await expect(oauthCredentials({ path: here.path, names })()).rejects.toMatchObject({
    code: 'login-unreadable',
    message: expect.not.stringContaining('demo-cl'),
  });
});
