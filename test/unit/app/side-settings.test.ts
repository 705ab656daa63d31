import { expect, test } from 'vitest';
import { loadConfig, objectSettings } from '../../../src/app/config/config.ts';
import { readEntry } from '../../../src/app/config/entry.ts';

const CLARIFY = { CLARIFY_API_KEY: 'key', CLARIFY_WORKSPACE: 'acme' };
const OTHERS = {
  attio: { CLARIFY_SYNC_CRM: 'attio', ATTIO_API_KEY: 'key' },
  brevo: { CLARIFY_SYNC_CRM: 'brevo', BREVO_API_KEY: 'key' },
};

function load(text: string, env: Record<string, string> = CLARIFY) {
  const named = {
    ...env,
    DATABASE_URL: 'postgres://localhost/x',
    CLARIFY_SYNC_CONFIG: 'sync.yaml',
  };
  return loadConfig({ env: named, readText: async () => text });
}

test('nothing is kept beside the records unless it is asked for', async () => {
  const config = await load('');
  expect(config.tables).toEqual({
    settings: false,
    lists: false,
    campaigns: [],
    everyMs: 3_600_000,
  });
  expect(objectSettings(config, 'deal').attachmentsMs).toBe(false);
});

test('each has its switch', async () => {
  const config = await load(`
tables: { settings: true, lists: true, campaigns: [a, b], every: 15m }
objects:
  deal: { attachments: true, comments: 7d, activities: true }
  company: { attachments: 30d }
  task: { attachments: false, comments: false }`);
  expect(config.tables).toEqual({
    settings: true,
    lists: true,
    campaigns: ['a', 'b'],
    everyMs: 900_000,
  });
  const of = (object: string) => objectSettings(config, object).attachmentsMs;
  expect(['deal', 'company', 'task'].map(of)).toEqual([null, 30 * 86_400_000, false]);
  expect(objectSettings(config, 'deal').commentsMs).toBe(7 * 86_400_000);
  expect(objectSettings(config, 'task').commentsMs).toBe(false);
});

test.each([
  ['tables: { list: true }', 'sync.yaml: tables.list is not a known setting'],
  ['tables: { campaigns: true }', 'sync.yaml: tables.campaigns must be of type array'],
  [
    'tables: { every: often }',
    'sync.yaml: tables.every is not a duration such as 90s, 15m, 24h or 30d',
  ],
  [
    'objects: { deal: { comments: true } }',
    'sync.yaml: objects.deal.comments needs activities: true beside it',
  ],
  [
    'objects: { deal: { attachments: all } }',
    'sync.yaml: objects.deal.attachments is neither true, false nor a duration such as 30d',
  ],
])('%s is a mistake', async (text, problem) => {
  await expect(load(text)).rejects.toMatchObject({ problems: [problem] });
});

test.each(Object.entries(OTHERS))('%s tells none of it', async (_name, env) => {
  const text =
    'tables: { settings: true, lists: true, campaigns: [a] }\nobjects: { x: { attachments: true } }';
  const paths = ['tables.settings', 'tables.lists', 'tables.campaigns', 'objects.x.attachments'];
  await expect(load(text, env)).rejects.toMatchObject({
    problems: paths.map((path) =>
      expect.stringMatching(
        new RegExp(`^sync.yaml: ${path} is set, and nothing of it can be read from \\w+$`),
      ),
    ),
  });
  await expect(load('tables: { every: 2h }', env)).resolves.toBeDefined();
});

test('so it is in a fleet', async () => {
  const shared = { database: null, http: null, logLevel: 'info' } as const;
  const entry = { crm: 'kizen', tables: { lists: true } };
  const { problems } = await readEntry(entry, { at: ['workspaces', 'x'], shared, remote: false });
  expect(problems).toEqual([
    'workspaces.x.tables.lists is set, and nothing of it can be read from Kizen',
  ]);
});
