import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type RunningDaemon, startDaemon } from '../support/daemon.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';
import { startChromium } from './chromium.ts';

const EVIL = '<script>window.evil = true</script><img src=x onerror="window.evil = true">';
const WIDE = { width: 1_280, height: 900 };
const PHONE = { width: 390, height: 844 };

let browser: Browser;
let workspace: TestWorkspace;
let daemon: RunningDaemon;
let close: () => Promise<void>;

beforeAll(async () => {
  browser = await startChromium();
});
afterAll(async () => browser?.close());

beforeEach(async () => {
  close = async () => {};
  workspace = await openWorkspace({
    emulator: { sizes: { person: 40, company: 12, deal: 15 } },
    config: {
      http: { host: '127.0.0.1', port: 0, token: null, nudgeSecret: null },
      objects: {
        person: { conflicts: 'manual', fields: {}, history: false, delete: 'push' },
        company: { attachments: null, fields: {}, history: false, delete: 'push' },
        deal: {
          conflicts: 'newest',
          fields: {},
          history: false,
          delete: 'park',
          activities: true,
          comments: null,
        },
      },
      tables: { settings: true, lists: true, campaigns: [], everyMs: 3_600_000 },
    },
  });
  daemon = await startDaemon(workspace);
  const pulled = () =>
    workspace.sql(
      `select from clarify_sync.run where kind = 'pull' and state = 'ok' and object in ('person', 'deal')`,
    );
  await vi.waitUntil(async () => (await pulled()).length === 2, { timeout: 20_000 });
});

afterEach(async () => {
  await close();
  await daemon.stop();
  await workspace.stop();
});

async function rowsOf(table: string): Promise<number> {
  return (await workspace.sql(`select id from clarify.${table}`)).length;
}

/** One open conflict whose local value is markup, and one delete that waits for approval. */
async function leaveDecisions(): Promise<void> {
  const [person = ''] = workspace.emulator.store.ids('person').toSorted();
  await workspace.sql('begin');
  await workspace.sql('update clarify.person set job_title = $2 where id = $1', [person, EVIL]);
  // Before the commit: neither a pull nor a push may come between the two edits.
  workspace.emulator.store.update('person', person, { job_title: 'Head of Sales' });
  await workspace.sql('commit');
  await workspace.sql('delete from clarify.deal where id = (select min(id) from clarify.deal)');
  const states = () =>
    workspace.sql(
      `select object, op, state, split_part(last_error, ':', 1) as why
         from clarify_sync.outbox where state <> 'superseded' order by object`,
    );
  await expect.poll(states, { timeout: 30_000 }).toEqual([
    { object: 'deal', op: 'delete', state: 'parked', why: 'delete-needs-approval' },
    { object: 'person', op: 'update', state: 'parked', why: 'conflict-open' },
  ]);
}

/** A page of which every complaint and every request is known. */
async function open(options: BrowserContextOptions) {
  const context = await browser.newContext(options);
  close = () => context.close();
  const page = await context.newPage();
  const complaints: string[] = [];
  const foreign: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(daemon.statusUrl)) foreign.push(request.url());
  });
  await page.goto(daemon.statusUrl);
  return { page, complaints, foreign };
}

async function shoot(page: Page, name: string): Promise<void> {
  const folder = new URL('../../docs/screenshots/', import.meta.url);
  await page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, folder)), fullPage: true });
}

const overflow = (page: Page) =>
  page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');

test.each([
  ['light', WIDE, 'light'],
  ['dark', WIDE, 'dark'],
  ['phone', PHONE, 'light'],
  ['phone-dark', PHONE, 'dark'],
] as const)(
  'the page fits and fetches nothing foreign: %s',
  async (name, viewport, colorScheme) => {
    await leaveDecisions();
    const { page, complaints, foreign } = await open({ viewport, colorScheme });
    await page.getByRole('heading', { name: /conflict job_title/ }).waitFor();
    await page.getByText('person 40 new').waitFor();
    await page.getByText('1 conflict open; 1 change parked.').waitFor();
    await page.getByText(/^list_member \d+ of \d+ read, /).waitFor();
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    expect(await page.evaluate('window.evil')).toBeUndefined();
    await shoot(page, name);
    await page.evaluate(`document.querySelector('h1 bdi').textContent = 'brevo:' + '2'.repeat(64)`);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
    expect(foreign).toEqual([]);
    const names = await page
      .getByRole('button')
      .evaluateAll((buttons) =>
        buttons.map((button) => button.getAttribute('aria-label') ?? button.textContent),
      );
    expect(new Set(names).size).toBe(names.length);
  },
);

test('a conflict is decided by keyboard alone, and the page says so', async () => {
  await leaveDecisions();
  const { page, complaints } = await open({ viewport: WIDE });
  const take = page.getByRole('button', { name: /^Take remote: job_title/ });
  for (let presses = 0; presses < 20; presses += 1) {
    await page.keyboard.press('Tab');
    if (await take.evaluate((button) => button.matches(':focus-visible'))) break;
  }
  await page
    .locator('article')
    .first()
    .screenshot({
      path: fileURLToPath(new URL('../../docs/screenshots/conflict.png', import.meta.url)),
    });
  await page.keyboard.press('Enter');
  const notice = page.getByText('remote value restored');
  await notice.waitFor();
  expect(await notice.evaluate((element) => element.matches(':focus'))).toBe(true);
  expect(await page.getByRole('heading', { name: /conflict job_title/ }).count()).toBe(0);
  const titles = await workspace.sql(`select from clarify.person where job_title like '<script%'`);
  expect(titles).toEqual([]);
  expect(complaints).toEqual([]);
});

test('what moves comes in by itself, and a question asked before giving up counts', async () => {
  const { page, complaints } = await open({ viewport: WIDE });
  await page.getByText('Nothing waits for you').waitFor();
  await leaveDecisions();
  const discard = page.getByRole('button', { name: /^Discard: delete of deal/ });
  await discard.waitFor({ timeout: 15_000 });
  page.once('dialog', (dialog) => void dialog.dismiss());
  await discard.click();
  expect(await rowsOf('deal')).toBe(14);
  page.once('dialog', (dialog) => void dialog.accept());
  await discard.click();
  await page.getByText('remote value restored').waitFor();
  expect(await rowsOf('deal')).toBe(15);
  expect(complaints).toEqual([]);
});

test('it works without script', async () => {
  await leaveDecisions();
  const { page } = await open({ viewport: PHONE, javaScriptEnabled: false });
  await page.getByRole('button', { name: /^Take local: job_title/ }).click();
  await page.getByText('due to be sent').waitFor();
  await page.getByRole('button', { name: /^Approve: delete of deal/ }).click();
  await page.getByText('approved').waitFor();
  await expect
    .poll(() => workspace.emulator.store.ids('deal').length, { timeout: 10_000 })
    .toBe(14);
});
