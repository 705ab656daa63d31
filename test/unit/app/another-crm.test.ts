import { expect, test } from 'vitest';
import type { Config } from '../../../src/app/config/config.ts';
import { loadConfig } from '../../../src/app/config/config.ts';
import { parseConfigFile } from '../../../src/app/config/file.ts';
import type { Source } from '../../../src/app/config/source.ts';
import { readWorkspace } from '../../../src/app/config/workspace.ts';
import { createLog } from '../../../src/app/log.ts';
import { openRemote } from '../../../src/app/open-remote.ts';
import type { Adapter, OpenOptions, OpenRemote, Settings } from '../../../src/crm/adapter.ts';
import { checkHeaderValue, checkWebUrl, tidyUrl } from '../../../src/crm/wire/setting-checks.ts';
import type { HoldChange } from '../../../src/domain/traffic.ts';

// A CRM that nobody prepared for: several credentials, no login, and a workspace that only its
// answers tell. What it costs is its adapter.

const opened: { settings: Settings; options: OpenOptions }[] = [];
let hold: (change: HoldChange) => void = () => {};

function notAsked(): never {
  throw new Error('not part of this test');
}

const remote: OpenRemote = {
  title: 'Acme',
  workspace: null,
  discover: notAsked,
  readPage: notAsked,
  readRecord: notAsked,
  readLinks: notAsked,
  create: notAsked,
  update: notAsked,
  delete: notAsked,
  setLinks: notAsked,
  removeLinks: notAsked,
  capabilitiesOf: notAsked,
  limits: { pageSize: 100, batchSizeOf: () => 1, writesAtOnce: 4 },
  clock: null,
  stop: async () => {},
  stats: () => [],
  watch: () => () => {},
  watchHolds(listener) {
    hold = listener;
    return () => {};
  },
};

const acme: Adapter = {
  name: 'acme',
  title: 'Acme',
  settings: [
    {
      key: 'apiKey',
      variable: 'ACME_API_KEY',
      secret: true,
      required: true,
      check: checkHeaderValue,
    },
    { key: 'userId', variable: 'ACME_USER_ID', required: true },
    {
      key: 'apiUrl',
      variable: 'ACME_API_URL',
      default: 'https://api.acme.example/v2',
      check: checkWebUrl,
      tidy: tidyUrl,
    },
  ],
  async open(settings, options) {
    opened.push({ settings, options });
    return remote;
  },
};

function sourceOf(values: Source['values']): Source {
  const readText = async (path: string) => (path === '/run/key' ? 'from-file\n' : '');
  return { values, nameOf: (variable) => variable, readText, problems: [] };
}

function parseObjects(text: string): Config['objects'] {
  const parsed = parseConfigFile(text);
  return 'settings' in parsed ? parsed.settings.objects : {};
}

async function configured(values: Source['values'], asked = true): Promise<Config> {
  const source = sourceOf(values);
  const workspace = await readWorkspace(source, acme, { remote: asked });
  expect(source.problems).toEqual([]);
  const common = await loadConfig({ env: {}, remote: false });
  return { ...common, ...workspace, name: workspace.schema };
}

test('its settings are read as every setting is', async () => {
  const values = {
    ACME_API_KEY_FILE: '/run/key',
    ACME_USER_ID: 'u-1',
    ACME_API_URL: 'http://h/v2/',
  };
  expect(await configured(values)).toMatchObject({
    schema: 'acme',
    access: 'api-key',
    settings: { apiKey: 'from-file', userId: 'u-1', apiUrl: 'http://h/v2' },
    names: { apiKey: 'ACME_API_KEY', userId: 'ACME_USER_ID' },
  });
});

test('what is missing or cannot be is named at once, and no secret quoted', async () => {
  const source = sourceOf({ ACME_API_KEY: 'hunter2 hunter2', ACME_API_URL: 'ftp://h' });
  await readWorkspace(source, acme, { remote: true });
  expect(source.problems).toEqual([
    'ACME_API_KEY holds a space, a line break or a character beyond ASCII',
    'ACME_API_URL must be an http or https URL',
    'ACME_USER_ID is not set',
  ]);
});

test('it is opened with its settings and their names, and tells by its title', async () => {
  const said: string[] = [];
  const log = createLog({
    level: 'info',
    stream: { write: (line: string) => void said.push(line) },
  });
  const objects = parseObjects('objects: { deal: { key: name, scan: 6h } }');
  const config = { ...(await configured({ ACME_API_KEY: 'k', ACME_USER_ID: 'u' })), objects };
  expect(await openRemote(config, log)).toBe(remote);
  expect(opened[0]?.options.objects).toMatchObject({ deal: { key: 'name', scan: 21_600_000 } });
  expect(opened[0]?.settings).toEqual({
    apiKey: 'k',
    userId: 'u',
    apiUrl: 'https://api.acme.example/v2',
  });
  expect(opened[0]?.options.names).toMatchObject({ apiUrl: 'ACME_API_URL' });
  hold({ endpoint: 'GET /x', untilMs: 1 });
  expect(said.join()).toContain('Acme lets no request through');
});

test('without what is required it is not opened', async () => {
  const config = await configured({}, false);
  await expect(openRemote(config, createLog({ level: 'silent' }))).rejects.toMatchObject({
    problems: ['ACME_API_KEY is not set', 'ACME_USER_ID is not set'],
  });
});
