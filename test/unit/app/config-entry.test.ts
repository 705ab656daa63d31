import { describe, expect, it } from 'vitest';
import { type EntryAbout, readEntry } from '../../../src/app/config/entry.ts';
import { adapterNames } from '../../../src/crm/adapters.ts';

const shared: EntryAbout['shared'] = { database: null, http: null, logLevel: 'info' };
const files: Readonly<Record<string, string>> = { '/run/acme': ' key-of-acme\n', '/run/none': '' };

function read(entry: unknown, about: Partial<EntryAbout> = {}) {
  const readText = async (path: string) => {
    const text = files[path];
    if (text === undefined) throw Object.assign(new Error('gone'), { code: 'ENOENT' });
    return text;
  };
  return readEntry(entry, { at: ['workspaces', 'acme'], name: 'acme', shared, readText, ...about });
}

const minimal = { workspace: 'acme', apiKeyFile: '/run/acme' };

describe('an entry of one workspace', () => {
  it('is what the environment and the file would say of it', async () => {
    const database = { url: 'postgres://h/d', directUrl: 'postgres://h/d' };
    const entry = { ...minimal, crm: 'clarify', push: true, objects: { deal: { push: false } } };
    const { config, problems } = await read(entry, { shared: { ...shared, database } });
    expect(problems).toEqual([]);
    expect(config).toMatchObject({
      name: 'acme',
      schema: 'acme',
      crm: { name: 'clarify', title: 'Clarify' },
      settings: { apiKey: 'key-of-acme', workspace: 'acme', apiUrl: 'https://api.clarify.ai/v1' },
      access: 'api-key',
      database,
      push: true,
      allowance: 80,
      objects: { deal: { push: false } },
    });
  });

  it('may name a schema and a database of its own', async () => {
    const database = { url: 'postgres://other/d', directUrl: 'postgres://past/d' };
    const { config } = await read({ ...minimal, schema: 'sales', database });
    expect(config).toMatchObject({ name: 'acme', schema: 'sales', database });
  });

  it('says by its path what each setting is called, for whoever writes a message', async () => {
    const { config } = await read(minimal);
    expect(config?.names).toMatchObject({
      apiKey: 'workspaces.acme.apiKey',
      apiUrl: 'workspaces.acme.apiUrl',
      schema: 'workspaces.acme.schema',
    });
  });

  it('names every mistake at once by its path, and quotes no secret', async () => {
    const { config, problems } = await read({
      apiKey: 'hunter2 hunter2',
      apiKeyFile: '/run/acme',
      apiUrl: 'ftp://hunter2',
      workspace: 7,
      schema: 'Sales',
      push: 'on',
      userld: 'x',
      sweep: 'soon',
      database: { directUrl: 'postgres://h/d' },
      objects: { deal: { pul: 'x' }, task: { recordings: true } },
      exclude: ['deal'],
    });
    expect(config).toBeNull();
    expect(problems.toSorted()).toEqual(
      [
        'apiKey and workspaces.acme.apiKeyFile are both set: keep one',
        'apiUrl must be an http or https URL',
        'database.directUrl is set and workspaces.acme.database.url is not',
        'database.url is not set',
        'exclude also under objects: deal',
        'objects.deal.pul is not a known setting',
        'objects.task.recordings is for meeting alone',
        'push must be of type boolean',
        'schema must be a name of a-z, 0-9 and _, and not begin with a digit',
        'sweep is not a duration such as 90s, 15m, 24h or 30d',
        'userld is not a known setting',
        'workspace must be of type string',
      ].map((problem) => `workspaces.acme.${problem}`),
    );
  });

  it.each([
    [{ workspace: 'acme', apiKeyFile: '/gone' }, 'apiKeyFile: /gone cannot be read (ENOENT)'],
    [{ workspace: 'acme', apiKeyFile: '/run/none' }, 'apiKeyFile: /run/none is empty'],
    [{ workspace: 'acme' }, 'apiKey is not set'],
    [{ ...minimal, crm: 'salesforce' }, `crm must be one of ${adapterNames.join(', ')}`],
    [{ ...minimal, schema: 'acme_sync' }, 'schema must not end in _sync or _history'],
    [{ ...minimal, schema: 'pg_acme' }, 'schema must not be a schema of Postgres itself'],
    [{ ...minimal, schema: 'a'.repeat(56) }, 'schema must have 55 characters at most'],
  ])('refuses %j', async (entry, problem) => {
    expect((await read(entry)).problems).toEqual([`workspaces.acme.${problem}`]);
  });

  it.each([
    ['clarify', 'deal', []],
    ['attio', 'deals', []],
    ['brevo', 'deals', ['objects.deals.activities: Brevo tells no past of its records']],
  ])('takes the past of records from %s where it tells one', async (crm, object, problems) => {
    const entry = { apiKeyFile: '/run/acme', ...(crm === 'clarify' && { workspace: 'acme' }) };
    const asked = await read({ ...entry, crm, objects: { [object]: { activities: true } } });
    expect(asked.problems).toEqual(problems.map((problem) => `workspaces.acme.${problem}`));
  });

  it('takes the keys that its CRM adds to an object, and no other’s', async () => {
    const objects = {
      vehicle: {
        fields: { plate: 'text', price: { type: 'number', conflicts: 'remote' } },
        links: { owner: 'contacts' },
        scan: '6h',
      },
    };
    const key = { apiKeyFile: '/run/acme', objects };
    const { config, problems } = await read({ ...key, crm: 'brevo' });
    expect(problems).toEqual([]);
    expect(config?.objects['vehicle']).toMatchObject({
      fields: { plate: { type: 'text' }, price: { conflicts: 'remote' } },
      links: { owner: 'contacts' },
      scan: 21_600_000,
    });
    expect((await read({ ...key, crm: 'attio' })).problems).toContain(
      'workspaces.acme.objects.vehicle.links is not a known setting',
    );
    const other = { company: {} };
    expect((await read({ ...key, crm: 'brevo', objects: other })).problems).toEqual([
      'workspaces.acme.objects.company is called companies here',
    ]);
  });

  it.each([null, 'text', ['list']])('refuses %j, which is no mapping', async (entry) => {
    expect((await read(entry)).problems).toEqual(['workspaces.acme must be a mapping']);
  });

  it('goes without key and workspace where nothing is asked', async () => {
    const { config } = await read({}, { remote: false });
    expect(config).toMatchObject({ access: null, settings: { apiKey: null, workspace: null } });
  });
});
