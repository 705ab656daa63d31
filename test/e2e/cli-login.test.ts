import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { startCheckedEmulator } from '../support/checked-emulator.ts';
import { createTestDatabase } from '../support/database.ts';
import { lastDocument, runCli, startCli } from './cli-process.ts';

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

test('login, and everything else goes without a key', async () => {
  const emulator = await startCheckedEmulator({
    sizes: { person: 3, company: 2 },
    switches: { consent: 'grant' },
  });
  const cwd = await mkdtemp(join(tmpdir(), 'clarify-sync-login-'));
  const database = await createTestDatabase();
  cleanups.push(emulator.stop, database.drop, () => rm(cwd, { recursive: true, force: true }));
  const env = {
    CLARIFY_API_URL: emulator.url,
    CLARIFY_WORKSPACE: emulator.workspace,
    CLARIFY_OAUTH_CLIENT_ID: emulator.oauth.clientId,
    CLARIFY_OAUTH_AUTHORIZE_URL: emulator.oauth.authorizeUrl,
    CLARIFY_OAUTH_TOKEN_URL: emulator.oauth.tokenUrl,
    DATABASE_URL: database.url,
  };
  const before = await runCli(['sync', '--json'], { env, cwd });
  expect(before).toMatchObject({ code: 2, stderr: expect.stringContaining('CLARIFY_API_KEY') });

  const signingIn = startCli(['login', '--json'], { env, cwd });
  cleanups.push(async () => signingIn.child.kill('SIGKILL'));
  const url = await signingIn.saw(/"url":"([^"]+)"/);
  expect(await (await fetch(url)).text()).toContain('You may close this page');
  const login = await signingIn.ended;
  expect(login.code).toBe(0);
  expect(lastDocument(login)).toMatchObject({
    type: 'result',
    tokens: '.clarify-sync/tokens.json',
    renewable: true,
  });
  const path = join(cwd, '.clarify-sync', 'tokens.json');
  expect((await stat(path)).mode & 0o777).toBe(0o600);

  const said = [login];
  for (const args of [['sync'], ['status'], ['doctor']]) {
    const result = await runCli([...args, '--json'], { env, cwd });
    expect(result).toMatchObject({ code: 0 });
    said.push(result);
  }
  const [, , status, doctor] = said.map(lastDocument);
  expect(status).toMatchObject({ access: 'login' });
  expect(doctor?.['checks']).toContainEqual(
    expect.objectContaining({ name: 'key', detail: 'OAuth login, accepted' }),
  );

  emulator.revoke('logins');
  const after = await runCli(['pull', '--json'], { env, cwd });
  expect(after).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/login-expired[\s\S]*→ run `clarify-sync login` again/),
  });
  const tokens: Record<string, unknown> = JSON.parse(await readFile(path, 'utf8'));
  const output = [...said, after].map(({ stdout, stderr }) => stdout + stderr).join();
  for (const name of ['accessToken', 'refreshToken']) {
    expect(output).not.toContain(tokens[name]);
  }
});
