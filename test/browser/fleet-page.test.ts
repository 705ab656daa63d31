import { tmpdir } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { WorkspaceState } from '../../src/http/status-source.ts';
import { away, type FakeWorkspace, fakeFleet, standingOf } from '../support/fake-fleet.ts';
import { startChromium } from './chromium.ts';

const WIDE = { width: 1_280, height: 900 };
const PHONE = { width: 390, height: 844 };
const EVIL = 'a/b?c#d <img src=x onerror="window.evil = true">';

let browser: Browser;
const closes: (() => Promise<void>)[] = [];

beforeAll(async () => {
  browser = await startChromium();
});
afterAll(async () => browser?.close());
afterEach(async () => {
  for (const close of closes.splice(0).toReversed()) await close();
});

const REVOKED: WorkspaceState = {
  kind: 'broken',
  code: 'remote-unauthorized',
  message: 'the key was not accepted',
  hint: 'check apiKey of globex',
  retryAt: null,
};

const OBJECTS = ['company', 'deal', 'person', 'task'];
const WELL = OBJECTS.map((object, n) => standingOf(object, { rows: BigInt(1_000 + 311 * n) }));

const THREE: readonly FakeWorkspace[] = [
  { name: 'acme', crm: 'Clarify', standing: WELL },
  { name: 'globex', crm: 'Clarify', state: REVOKED, standing: WELL },
  {
    name: 'north',
    crm: 'Clarify',
    state: { kind: 'standing-by' },
    holder: 'sync-1:7:bbbbbbbb',
    standing: [...WELL, standingOf('meeting', { parked: 3, openConflicts: 1, pending: 12 })],
  },
];

const SIXTY: readonly FakeWorkspace[] = [
  ...Array.from({ length: 57 }, (_, n): FakeWorkspace => {
    const state: WorkspaceState = n % 3 === 0 ? { kind: 'leading' } : { kind: 'standing-by' };
    const holder = `sync-${n % 3}:7:bbbbbbbb`;
    return { name: `customer-${n + 1}`, crm: 'Clarify', state, holder, standing: WELL };
  }),
  { name: EVIL, crm: 'Clarify', standing: WELL },
  { name: 'globex', crm: 'Clarify', state: REVOKED },
  { name: 'warehouse-away', crm: 'Clarify', read: () => Promise.reject(away()) },
];

async function open(workspaces: readonly FakeWorkspace[], options: BrowserContextOptions) {
  const fleet = fakeFleet(workspaces);
  const url = await fleet.server.start();
  closes.push(() => fleet.server.stop());
  const context = await browser.newContext(options);
  closes.push(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  const startedMs = performance.now();
  await page.goto(url);
  return { page, url, complaints, fleet, tookMs: performance.now() - startedMs };
}

/** Of the long lists none is kept: one shows what they are like. */
async function shoot(page: Page, name: string): Promise<void> {
  const folder = name.includes('many')
    ? pathToFileURL(`${tmpdir()}/`)
    : new URL('../../docs/screenshots/', import.meta.url);
  await page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, folder)), fullPage: true });
}

const overflow = (page: Page) =>
  page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');

test.each([
  ['fleet', THREE, WIDE, 'light'],
  ['fleet-dark', THREE, WIDE, 'dark'],
  ['fleet-phone', THREE, PHONE, 'light'],
  ['fleet-many', SIXTY, WIDE, 'light'],
  ['fleet-many-phone', SIXTY, PHONE, 'dark'],
] as const)(
  'the list fits, and says which one is stopped: %s',
  async (name, workspaces, viewport, colorScheme) => {
    const { page, complaints, tookMs } = await open(workspaces, { viewport, colorScheme });
    expect(tookMs).toBeLessThan(2_000);
    expect(await page.getByRole('row').count()).toBe(workspaces.length + 1);
    await page.getByText('Stopped: the key was not accepted').waitFor();
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    expect(await page.evaluate('window.evil')).toBeUndefined();
    await shoot(page, name);
    expect(complaints).toEqual([]);
  },
);

test('a name of any kind leads to its page, and back', async () => {
  const { page } = await open(SIXTY, { viewport: WIDE });
  await page.getByRole('row').getByRole('link', { name: EVIL }).click();
  // Nothing is behind this one: the page says that its tables cannot be read.
  await page.getByRole('heading', { name: EVIL }).waitFor();
  await page.getByText('Its tables cannot be read now.').waitFor();
  expect(await page.evaluate('window.evil')).toBeUndefined();
  await page.getByRole('link', { name: 'All workspaces' }).click();
  await page.getByRole('heading', { name: '60 workspaces' }).waitFor();
});

test('a workspace that comes or goes does so without a reload', async () => {
  const { page, fleet, complaints } = await open(THREE, { viewport: WIDE });
  await page.getByText('1 stopped').waitFor();
  fleet.keepOnly(['acme']);
  await page.getByText('Everything is in step.').waitFor();
  expect(await page.getByRole('row').count()).toBe(2);
  expect(complaints).toEqual([]);
});
