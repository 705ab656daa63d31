import { readdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { readTokens } from '../../../../../src/crm/wire/oauth/token-file.ts';
import { openInBrowser, place, signIn } from './signed-in.ts';

test('a person signs in through the browser, and the tokens are for their eyes only', async () => {
  const here = await place();
  let page = '';
  const result = await signIn(here, {
    async browse(url) {
      const asked = new URL(url).searchParams;
      expect(asked.get('scope')).toBe('openid profile email offline_access');
      expect(asked.get('code_challenge_method')).toBe('S256');
      expect(asked.get('redirect_uri')).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/);
      const answer = await openInBrowser(url);
      expect(answer.headers.get('content-security-policy')).toBe("default-src 'none'");
      page = await answer.text();
    },
  });
  expect(page).toContain('You may close this page');
  expect(result).toMatchObject({ renewable: true, tokenUrl: here.emulator.oauth.tokenUrl });
  const tokens = await readTokens(here.path);
  expect(JSON.stringify(result)).not.toContain(tokens?.accessToken);
  expect(JSON.stringify(result)).not.toContain(tokens?.refreshToken);
  expect((await stat(here.path)).mode & 0o777).toBe(0o600);
  expect((await stat(dirname(here.path))).mode & 0o777).toBe(0o700);
  expect(await readdir(dirname(here.path))).toEqual(['tokens.json']);
});

test('the same person has the same account after signing in again', async () => {
  const here = await place();
  const first = await signIn(here);
  const second = await signIn(here);
  expect(second.account).toBe(first.account);
});

test('a login that is denied says so, in the browser too, and keeps nothing', async () => {
  const here = await place({ switches: { consent: 'deny' } });
  let page = '';
  const denied = signIn(here, {
    async browse(url) {
      page = await (await openInBrowser(url)).text();
    },
  });
  await expect(denied).rejects.toMatchObject({ code: 'login-denied' });
  expect(page).toContain('You are not signed in');
  expect(await readTokens(here.path)).toBeNull();
});

test('an answer to another login is refused, and nothing is asked of the server', async () => {
  const here = await place();
  const forged = signIn(here, {
    async browse(url) {
      const back = new URL(new URL(url).searchParams.get('redirect_uri') ?? '');
      back.searchParams.set('code', 'stolen');
      back.searchParams.set('state', 'another');
      expect((await fetch(back)).status).toBe(400);
      await expect(fetch(back)).rejects.toThrow('fetch failed');
    },
  });
  await expect(forged).rejects.toMatchObject({ code: 'login-state-mismatch' });
  expect(here.emulator.stats().requests).toBe(0);
});

test('other requests to the port are none of its business', async () => {
  const here = await place();
  await signIn(here, {
    async browse(url) {
      const back = new URL(new URL(url).searchParams.get('redirect_uri') ?? '');
      expect((await fetch(new URL('/favicon.ico', back))).status).toBe(404);
      expect((await fetch(back, { method: 'POST' })).status).toBe(404);
      const byName = new URL(back);
      byName.hostname = 'localhost';
      const elsewhere = await fetch(byName).catch(() => null);
      if (elsewhere !== null) expect(elsewhere.status).toBe(404);
      await openInBrowser(url);
    },
  });
  expect(await readTokens(here.path)).not.toBeNull();
});

test('nobody has to wait for a browser that never comes', async () => {
  const here = await place();
  const late = signIn(here, { browse: async () => {}, timeoutMs: 20 });
  await expect(late).rejects.toMatchObject({ code: 'login-timed-out' });
  const stopping = new AbortController();
  const stopped = signIn(here, { browse: async () => stopping.abort(), signal: stopping.signal });
  await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
});

test('a server that stumbles over the code keeps nobody signed in', async () => {
  const here = await place();
  here.emulator.faults.add({ kind: 'status', status: 503, path: '/oauth2/token', count: 1 });
  await expect(signIn(here)).rejects.toMatchObject({ code: 'login-bad-answer' });
  const stranger = signIn(here, { clientId: 'stranger', browse: forgetServer });
  await expect(stranger).rejects.toMatchObject({ code: 'login-refused' });
  await here.emulator.stop();
  await expect(signIn(here, { browse: forgetServer })).rejects.toMatchObject({
    code: 'login-unreachable',
  });
  expect(await readTokens(here.path)).toBeNull();
});

/** A browser that comes back although the server has gone. */
async function forgetServer(url: string): Promise<void> {
  const asked = new URL(url).searchParams;
  const back = new URL(asked.get('redirect_uri') ?? '');
  back.searchParams.set('code', 'a-code');
  back.searchParams.set('state', asked.get('state') ?? '');
  await fetch(back);
}
