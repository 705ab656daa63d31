import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { login } from '../../../../../src/crm/wire/oauth/login.ts';
import type { OAuthNames } from '../../../../../src/crm/wire/oauth/oauth-names.ts';
import {
  type Emulator,
  type EmulatorOptions,
  startCheckedEmulator,
} from '../../../../support/checked-emulator.ts';

export const names: OAuthNames = {
  key: 'THE_KEY',
  file: 'THE_FILE',
  clientId: 'THE_CLIENT',
  tokenUrl: 'THE_TOKEN_URL',
  port: 'THE_PORT',
};

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

export interface Place {
  readonly emulator: Emulator;
  /** Where the tokens are. */
  readonly path: string;
  readonly folder: string;
}

/** An authorization server, and a folder for tokens; both go after the test. */
export async function place(options: EmulatorOptions = {}): Promise<Place> {
  const emulator = await startCheckedEmulator({
    sizes: 'none',
    ...options,
    switches: { consent: 'grant', ...options.switches },
  });
  const folder = await mkdtemp(join(tmpdir(), 'clarify-sync-login-'));
  cleanups.push(emulator.stop, () => rm(folder, { recursive: true, force: true }));
  return { emulator, folder, path: join(folder, 'kept', 'tokens.json') };
}

/** What a person does: opens the address, and lets the browser follow. */
export async function openInBrowser(url: string): Promise<Response> {
  return await fetch(url);
}

export interface SignIn {
  readonly browse?: (url: string) => Promise<unknown>;
  readonly timeoutMs?: number;
  /** Default the one the server knows. */
  readonly clientId?: string;
  readonly signal?: AbortSignal;
}

export async function signIn({ emulator, path }: Place, how: SignIn = {}) {
  const { browse = openInBrowser, signal = new AbortController().signal } = how;
  let browsing: Promise<unknown> = Promise.resolve();
  const result = login({
    ...emulator.oauth,
    ...(how.clientId === undefined ? {} : { clientId: how.clientId }),
    port: 0,
    path,
    scope: 'openid profile email offline_access',
    names,
    signal,
    ...(how.timeoutMs === undefined ? {} : { timeoutMs: how.timeoutMs }),
    onAddress(url) {
      browsing = browse(url);
    },
  });
  await result.catch(() => {});
  await browsing;
  return await result;
}
