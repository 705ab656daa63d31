import { describe, expect, it, test } from 'vitest';
import {
  describeUnknown,
  type LoadConfigOptions,
  loadConfig,
  loginFile,
  objectSettings,
  toFileSettings,
  unknownNames,
  WITHOUT_FILE,
} from '../../../src/app/config/config.ts';
import { parseConfigFile } from '../../../src/app/config/file.ts';
import { crmInUse } from '../../../src/app/config/variables.ts';
import { adapterNames, adapterTitles } from '../../../src/crm/adapters.ts';
import { UsageError } from '../../../src/domain/errors.ts';

const minimal = { CLARIFY_API_KEY: 'key', CLARIFY_WORKSPACE: 'acme' };

function load(env: Record<string, string> = {}, files: Record<string, string> = {}) {
  const readText: LoadConfigOptions['readText'] = async (path) => {
    const name = Object.keys(files).find((known) => path.endsWith(known));
    const text = name === undefined ? undefined : files[name];
    if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    return text;
  };
  return loadConfig({ env: { ...minimal, ...env }, readText });
}

const loadYaml = (yaml: string) => load({ CLARIFY_SYNC_CONFIG: 'c.yaml' }, { 'c.yaml': yaml });

async function problemsOf(config: Promise<unknown>): Promise<readonly string[]> {
  const error = await config.catch((caught: unknown) => caught);
  if (!(error instanceof UsageError)) throw new Error('no mistake was found');
  return error.problems;
}

describe('the environment', () => {
  it('needs two variables, and reads only', async () => {
    expect(await load()).toMatchObject({
      crm: { name: 'clarify', title: 'Clarify' },
      name: 'clarify',
      schema: 'clarify',
      settings: { apiKey: 'key', workspace: 'acme', apiUrl: 'https://api.clarify.ai/v1' },
      access: 'api-key',
      database: null,
      push: false,
      http: { host: '127.0.0.1', port: 8460, token: null, nudgeSecret: null },
      massDelete: { rows: 50, percent: 5 },
      allowance: 80,
      sweepMs: 86_400_000,
      retention: { outboxMs: 30 * 86_400_000, conflictsMs: 365 * 86_400_000, tombstonesMs: null },
      grants: { read: [], write: [] },
      unknownVariables: [],
    });
  });

  it('names every mistake at once, and quotes no secret', async () => {
    const problems = await problemsOf(
      load(
        {
          CLARIFY_API_KEY: 'hunter2 hunter2',
          CLARIFY_WORKSPACE: 'a/b',
          CLARIFY_API_URL: 'https://me:hunter2@api.example.com',
          DATABASE_URL: 'mysql://me:hunter2@db/x',
          CLARIFY_SYNC_PUSH: 'yes',
          CLARIFY_SYNC_HTTP: '0.0.0.0:8460',
          CLARIFY_SYNC_LOG: 'loud',
          CLARIFY_SYNC_CONFIG: 'c.yaml',
        },
        { 'c.yaml': 'alowance: 3' },
      ),
    );
    expect(problems).toHaveLength(8);
    expect(problems.join()).not.toContain('hunter2');
    for (const name of ['API_KEY', 'WORKSPACE', 'API_URL', 'DATABASE_URL', 'PUSH', 'HTTP_TOKEN']) {
      expect(problems.join()).toContain(name);
    }
    expect(problems).toContain('c.yaml: alowance is not a known setting');
  });

  it('treats an empty variable as unset', async () => {
    expect(await problemsOf(load({ CLARIFY_API_KEY: '', CLARIFY_WORKSPACE: ' ' }))).toEqual([
      'CLARIFY_API_KEY is not set',
      'CLARIFY_WORKSPACE is not set',
    ]);
  });

  it('goes without key and workspace where a command needs none', async () => {
    const config = await loadConfig({ env: {}, remote: false });
    expect(config.settings).toMatchObject({ apiKey: null, workspace: null });
    expect(config.access).toBeNull();
  });

  it('reads secrets from files', async () => {
    const config = await load(
      { CLARIFY_API_KEY: '', CLARIFY_API_KEY_FILE: '/run/key', DATABASE_URL_FILE: '/run/url' },
      { '/run/key': 'from-file\n', '/run/url': 'postgres://u:p@h/d\n' },
    );
    expect(config.settings['apiKey']).toBe('from-file');
    expect(config.database).toEqual({ url: 'postgres://u:p@h/d', directUrl: 'postgres://u:p@h/d' });
  });

  it('refuses a secret given twice, a file that is missing or empty', async () => {
    const problems = await problemsOf(
      load(
        {
          CLARIFY_API_KEY_FILE: '/a',
          DATABASE_URL_FILE: '/gone',
          CLARIFY_SYNC_HTTP_TOKEN_FILE: '/b',
        },
        { '/a': 'x', '/b': '\n' },
      ),
    );
    expect(problems).toEqual([
      'CLARIFY_API_KEY and CLARIFY_API_KEY_FILE are both set: keep one',
      'DATABASE_URL_FILE: /gone cannot be read (ENOENT)',
      'CLARIFY_SYNC_HTTP_TOKEN_FILE: /b is empty',
    ]);
  });

  it.each([
    ['off', null],
    ['localhost:80', { host: 'localhost', port: 80 }],
    ['[::1]:9000', { host: '::1', port: 9000 }],
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
  ])('takes %s as the status server', async (text, http) => {
    const config = await load({ CLARIFY_SYNC_HTTP: text });
    expect(config.http).toEqual(http && { ...http, token: null, nudgeSecret: null });
  });

  it.each(['8460', 'host', 'host:99999', 'http://host:1', ':1'])(
    'refuses %s as the status server',
    async (text) => {
      expect(await problemsOf(load({ CLARIFY_SYNC_HTTP: text }))).toHaveLength(1);
    },
  );

  it('sends tokens over no wire that others can read, unless the API is there too', async () => {
    const CLARIFY_OAUTH_TOKEN_URL = 'http://auth.example/token';
    expect(await problemsOf(load({ CLARIFY_OAUTH_TOKEN_URL }))).toHaveLength(1);
    const own = { CLARIFY_OAUTH_TOKEN_URL, CLARIFY_API_URL: 'http://emulator:8470/v1' };
    expect((await load(own)).settings['tokenUrl']).toBe(CLARIFY_OAUTH_TOKEN_URL);
    const here = { CLARIFY_OAUTH_TOKEN_URL: 'http://[::1]:80/token' };
    expect((await load(here)).settings['tokenUrl']).toBe(here.CLARIFY_OAUTH_TOKEN_URL);
  });

  it('uses a login where there is no key, and the key where there are both', async () => {
    const files = { 'tokens.json': 'whatever it holds' };
    const signedIn = await load({ CLARIFY_API_KEY: '' }, files);
    expect(signedIn).toMatchObject({ access: 'login', settings: { apiKey: null } });
    expect(loginFile(signedIn)).toBe('.clarify-sync/tokens.json');
    const both = await load({}, files);
    expect(both).toMatchObject({ access: 'api-key', settings: { apiKey: 'key' } });
    expect(loginFile(both)).toBeNull();
    const elsewhere = { CLARIFY_API_KEY: '', CLARIFY_OAUTH_TOKENS: '/run/tokens' };
    expect(await problemsOf(load(elsewhere, files))).toEqual(['CLARIFY_API_KEY is not set']);
  });

  it('takes a public address for a CRM that calls, which has to be https and a server to lead to', async () => {
    const attio = { CLARIFY_SYNC_CRM: 'attio', ATTIO_API_KEY: 'key' };
    const url = { CLARIFY_SYNC_PUBLIC_URL: 'https://sync.example/attio/' };
    expect((await load({ ...attio, ...url })).hookUrl).toBe('https://sync.example/attio/webhook');
    expect((await load(attio)).hookUrl).toBeNull();
    const problems = async (env: Record<string, string>) => await problemsOf(load(env));
    expect(await problems(url)).toEqual([
      'CLARIFY_SYNC_PUBLIC_URL is set, and Clarify calls nobody',
    ]);
    expect(await problems({ ...attio, ...url, CLARIFY_SYNC_HTTP: 'off' })).toEqual([
      'CLARIFY_SYNC_PUBLIC_URL is set and CLARIFY_SYNC_HTTP is off',
    ]);
    for (const wrong of ['http://sync.example', 'sync.example', 'https://u:p@sync.example/?a=b']) {
      const said = await problems({ ...attio, CLARIFY_SYNC_PUBLIC_URL: wrong });
      expect(said).toEqual([expect.stringMatching(/^CLARIFY_SYNC_PUBLIC_URL must /)]);
    }
  });

  it('takes a nudge secret that is long, fits an address, and has a server to stand at', async () => {
    const CLARIFY_SYNC_NUDGE_SECRET = 'abcdefghijklmnop-_09AZ';
    expect((await load({ CLARIFY_SYNC_NUDGE_SECRET })).http?.nudgeSecret).toBe(
      CLARIFY_SYNC_NUDGE_SECRET,
    );
    const env = { CLARIFY_SYNC_NUDGE_SECRET, CLARIFY_SYNC_HTTP: 'off' };
    expect(await problemsOf(load(env))).toHaveLength(1);
    for (const weak of ['short', 'twenty characters / and a slash']) {
      const problems = await problemsOf(load({ CLARIFY_SYNC_NUDGE_SECRET: weak }));
      expect(problems).toHaveLength(1);
      expect(problems.join()).not.toContain(weak);
    }
  });

  it('takes a status server beyond loopback only with a token', async () => {
    const env = { CLARIFY_SYNC_HTTP: '0.0.0.0:8460' };
    expect(await problemsOf(load(env))).toHaveLength(1);
    const config = await load({ ...env, CLARIFY_SYNC_HTTP_TOKEN: 'token' });
    expect(config.http).toEqual({ host: '0.0.0.0', port: 8460, token: 'token', nudgeSecret: null });
  });

  it('names the CRMs there are where another is asked for, beside every other mistake', async () => {
    const env = {
      CLARIFY_SYNC_CRM: 'salesforce',
      CLARIFY_SYNC_SCHEMA: 'x_sync',
      CLARIFY_SYNC_PUSH: 'yes',
    };
    expect(await problemsOf(load(env))).toEqual([
      `CLARIFY_SYNC_CRM must be one of ${adapterNames.join(', ')}`,
      'CLARIFY_SYNC_SCHEMA must not end in _sync or _history',
      'CLARIFY_SYNC_PUSH must be on or off',
    ]);
    expect((await load({ CLARIFY_SYNC_CRM: 'clarify' })).crm.title).toBe('Clarify');
  });

  it('tells who shows help which CRM it is about, and of a fleet all there are', () => {
    expect(crmInUse({}).title).toBe('Clarify');
    expect(crmInUse({ CLARIFY_SYNC_CRM: 'salesforce' }).title).toBe('Clarify');
    const { title } = crmInUse({ CLARIFY_SYNC_FLEET: 'fleet.yaml' });
    expect(title).toBe(adapterTitles.join(' or '));
  });

  it('takes another schema than the one named after the CRM, where it can be one', async () => {
    expect(await load({ CLARIFY_SYNC_SCHEMA: 'sales_eu' })).toMatchObject({ schema: 'sales_eu' });
    for (const name of ['Sales', '1st', 'a b', 'pg_x', 'public', 'x_sync', 'x'.repeat(56)]) {
      const problems = await problemsOf(load({ CLARIFY_SYNC_SCHEMA: name }));
      expect(problems).toEqual([expect.stringMatching(/^CLARIFY_SYNC_SCHEMA must /)]);
    }
  });

  it('notices variables that are nearly ours', async () => {
    const { unknownVariables } = await load({ CLARIFY_SYNC_PSUH: 'on', PATH: '/bin' });
    expect(unknownVariables).toEqual(['CLARIFY_SYNC_PSUH']);
  });

  it.each(adapterNames)('notices those of %s, whichever CRM is in use', async (name) => {
    const key = `${name.toUpperCase()}_API_KYE`;
    const other = `${name.toUpperCase()}_SMTP_PASSWORD`;
    const { unknownVariables } = await load({ [key]: 'x', [other]: 'x' });
    // What is not nearly ours may be another program's, where the CRM is not in use.
    expect(unknownVariables).toEqual(name === 'clarify' ? [key, other] : [key]);
    expect(describeUnknown(key)).toBe(
      `${key} is no setting; is ${name.toUpperCase()}_API_KEY meant?`,
    );
    expect(describeUnknown(other)).toBe(`${other} is no setting`);
  });
});

describe('the file', () => {
  it('settles each object and field, with defaults for the rest', async () => {
    const config = await loadYaml(`
objects:
  deal:
    pull: "*/30 * * * * *"
    conflicts: manual
    fields: { amount: { conflicts: remote } }
    history: true
    delete: park
  task: { key: external_ref }
  meeting: { push: false }
exclude: [message]
massDelete: { percent: 10 }
sweep: 90m
retention: { outbox: keep }
grants: { read: [analyst] }
`);
    const deal = objectSettings(config, 'deal');
    expect(deal).toMatchObject({
      pull: '*/30 * * * * *',
      history: true,
      delete: 'park',
      push: true,
    });
    expect([deal.conflictsOf('amount'), deal.conflictsOf('name')]).toEqual(['remote', 'manual']);
    expect(objectSettings(config, 'task').key).toBe('external_ref');
    expect(objectSettings(config, 'meeting').push).toBe(false);
    expect(objectSettings(config, 'message').included).toBe(false);
    const other = objectSettings(config, 'constructor');
    expect(other).toMatchObject({
      included: true,
      pull: '* * * * *',
      push: true,
      key: null,
      history: false,
      delete: 'push',
    });
    expect(other.conflictsOf('toString')).toBe('newest');
    expect(config).toMatchObject({
      massDelete: { rows: 50, percent: 10 },
      sweepMs: 5_400_000,
      retention: { outboxMs: null, conflictsMs: 365 * 86_400_000 },
      grants: { read: ['analyst'], write: [] },
    });
  });

  it.each(['', '# nothing yet\n', 'objects: { deal: }'])('may say nothing: %j', async (yaml) => {
    expect((await loadYaml(yaml)).allowance).toBe(80);
  });

  it.each([
    ['objects: { deal: { pul: x } }', 'objects.deal.pul is not a known setting'],
    ['objects: { deal: { pull: often } }', 'objects.deal.pull is not a cron expression'],
    ['objects: { deal: { push: "no" } }', 'objects.deal.push must be of type boolean'],
    [
      'objects: { deal: { delete: never } }',
      'objects.deal.delete must be one of push, park, refuse',
    ],
    [
      'objects: { deal: { fields: { a: { conflicts: me } } } }',
      'objects.deal.fields.a.conflicts must be one of newest, remote, local, manual',
    ],
    ['objects: [deal]', 'objects must be a mapping'],
    ['just text', 'the file must be a mapping'],
    ['exclude: deal', 'exclude must be of type array'],
    ['{ exclude: [deal], objects: { deal: { push: false } } }', 'exclude also under objects: deal'],
    ['sweep: soon', 'sweep is not a duration such as 90s, 15m, 24h or 30d'],
    ['sweep: 0h', 'sweep is not a duration such as 90s, 15m, 24h or 30d'],
    ['sweep: keep', 'sweep is not a duration such as 90s, 15m, 24h or 30d'],
    ['retention: { outbox: 3 }', 'retention.outbox is neither a duration such as 30d nor keep'],
    ['allowance: 101', 'allowance: Too big: expected number to be <=100'],
    ['massDelete: { rows: -1 }', 'massDelete.rows: Too small: expected number to be >=0'],
    ['sweep: 1h\nsweep: 2h', 'line 2, column 1: duplicate key'],
    ['a: [', 'line 1, column 5: bad indent'],
  ])('refuses %j', async (yaml, problem) => {
    expect(await problemsOf(loadYaml(yaml))).toEqual([`c.yaml: ${problem}`]);
  });

  it('names every mistake at once, those between two keys too', async () => {
    const yaml = `
objects: { deal: { push: 7 }, task: { recordings: true } }
exclude: [deal]
sweep: soon
`;
    expect((await problemsOf(loadYaml(yaml))).toSorted()).toEqual([
      'c.yaml: exclude also under objects: deal',
      'c.yaml: objects.deal.push must be of type boolean',
      'c.yaml: objects.task.recordings is for meeting alone',
      'c.yaml: sweep is not a duration such as 90s, 15m, 24h or 30d',
    ]);
  });

  it('is refused where the CRM tells no past, and a past is asked for', async () => {
    const yaml = 'objects: { client_client: { activities: true }, deal: { activities: false } }';
    const keys = { KIZEN_API_KEY: 'k', KIZEN_USER_ID: 'u', KIZEN_BUSINESS_ID: 'b' };
    const kizen = { ...keys, CLARIFY_SYNC_CRM: 'kizen', CLARIFY_SYNC_CONFIG: 'c.yaml' };
    expect(await problemsOf(load(kizen, { 'c.yaml': yaml }))).toEqual([
      'c.yaml: objects.client_client.activities: Kizen tells no past of its records',
    ]);
    const clarify = await loadYaml('objects: { deal: { activities: true } }');
    expect(objectSettings(clarify, 'deal').activities).toBe(true);
    expect(objectSettings(clarify, 'task').activities).toBe(false);
  });

  it('is compared with what the workspace has', async () => {
    const config = await loadYaml(
      [
        'objects:',
        '  deal: { key: ref, fields: { amount: { conflicts: remote }, amuont: {} } }',
        '  deel: { push: false }',
        '  task: { key: ref }',
        '  person:',
        'exclude: [mesage, message]',
      ].join('\n'),
    );
    const schemas = [
      { object: 'deal', fields: [{ name: 'amount' }] },
      { object: 'task', fields: [{ name: 'ref' }] },
      { object: 'person', fields: [] },
      { object: 'message', fields: [] },
    ];
    expect(unknownNames(config, schemas)).toEqual([
      'objects.deal.fields.amuont',
      'objects.deal.key',
      'objects.deel',
      'exclude: mesage',
    ]);
  });

  it('must exist where it is named', async () => {
    expect(await problemsOf(load({ CLARIFY_SYNC_CONFIG: 'gone.yaml' }))).toEqual([
      'CLARIFY_SYNC_CONFIG: gone.yaml cannot be read (ENOENT)',
    ]);
  });
});

test('without a file everything is as a file that says nothing has it', () => {
  const parsed = parseConfigFile('');
  expect('settings' in parsed && toFileSettings(parsed.settings)).toEqual(WITHOUT_FILE);
});
