import { describe, expect, it } from 'vitest';
import { databaseOf, loadFleet } from '../../../src/app/fleet/file.ts';
import { UsageError } from '../../../src/domain/errors.ts';

const WAREHOUSE = 'postgres://u:secret-word@db/warehouse';

async function load(yaml: string, files: Readonly<Record<string, string>> = {}) {
  const readText = async (path: string) => {
    const text = path.endsWith('fleet.yaml') ? yaml : files[path];
    if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    return text;
  };
  const env = {
    CLARIFY_SYNC_FLEET: 'fleet.yaml',
    DATABASE_URL: WAREHOUSE,
    CLARIFY_SYNC_PUSH: 'on',
  };
  return await loadFleet({ env, readText });
}

async function mistakes(yaml: string): Promise<readonly string[]> {
  const error = await load(yaml).catch((thrown: unknown) => thrown);
  if (error instanceof UsageError) return error.problems;
  throw new Error('no mistake found');
}

describe('the file of a fleet', () => {
  it('gives each workspace what it says, what is shared, and the defaults', async () => {
    const { workspaces, unusedVariables } = await load(
      `workspaces:
  acme: { apiKeyFile: /k/acme, workspace: a, push: true, sweep: 6h }
  "North Coast": { apiKey: k, workspace: n, schema: north_crm, database: { url: postgres://other/x } }`,
      { '/k/acme': 'the-key\n' },
    );
    const [acme, north] = workspaces.map(({ config }) => config);
    expect(acme).toMatchObject({ name: 'acme', schema: 'acme', push: true, sweepMs: 21_600_000 });
    expect(acme?.settings).toMatchObject({ apiKey: 'the-key', workspace: 'a' });
    expect(acme?.database?.url).toBe(WAREHOUSE);
    expect(north).toMatchObject({ name: 'North Coast', schema: 'north_crm', push: false });
    expect(north?.database).toEqual({ url: 'postgres://other/x', directUrl: 'postgres://other/x' });
    expect(unusedVariables).toEqual(['CLARIFY_SYNC_PUSH']);
  });

  it('reads secrets anew when it is asked to', async () => {
    const files = { '/k': 'one' };
    const { workspaces } = await load('workspaces: { a: { apiKeyFile: /k, workspace: a } }', files);
    files['/k'] = 'two';
    expect((await workspaces[0]?.again())?.settings['apiKey']).toBe('two');
  });

  it('loses no name in silence', async () => {
    const problems = await mistakes(`workspaces:
  a: { apiKey: k, workspace: a, objects: { __proto__: { push: false } } }
  __proto__: { apiKey: secret-word, workspace: b }
`);
    expect(problems.map((problem) => problem.replace(/^.*?: /, ''))).toEqual([
      'line 2, column 44: __proto__ cannot be a name',
      'line 3, column 3: __proto__ cannot be a name',
    ]);
  });

  it('names every mistake at once by its path, and quotes no secret', async () => {
    const problems = await mistakes(`
database: { urlFil: /x }
workspace: {}
workspaces:
  a: { crm: nothing, apiKey: secret-word }
  b: { apiKeyFile: /nowhere, apiKey: secret-word, workspace: b }
  c: { workspace: c, sweeep: 6h }
  d: { apiKey: "secret-word\\nx", workspace: d, push: on it, objects: { deal: { pul: x } } }
  e: { apiKey: k, workspace: e, schema: pg_e }
  f-g: { apiKey: k, workspace: f }
  h: { apiKey: k, workspace: h, schema: one }
  i: { apiKey: k, workspace: i, schema: one, database: { url: "postgres://me:secret-word@DB:5432/warehouse" } }
  j: { apiKey: k, workspace: j, schema: one, database: { url: "postgres://db/other" } }
  k: 7
  "a/b": { apiKey: k, workspace: l, schema: l }
`);
    const text = problems.join('\n');
    expect(text).not.toContain('secret-word');
    for (const part of [
      'database.urlFil is not a known setting: did you mean urlFile?',
      'workspace is not a known setting: did you mean workspaces?',
      'workspaces.a.crm must be one of',
      'workspaces.b.apiKey and workspaces.b.apiKeyFile are both set',
      'workspaces.c.apiKey is not set',
      'workspaces.c.sweeep is not a known setting: did you mean sweep?',
      'workspaces.d.apiKey holds',
      'workspaces.d.push must be',
      'workspaces.d.objects.deal.pul is not a known setting: did you mean pull?',
      'workspaces.e.schema ',
      'workspaces.f-g.schema ',
      'workspaces.i.schema: one is a schema of workspaces.h in the same database',
      'workspaces.k must be a mapping',
      'workspaces."a/b": a name begins with',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain('workspaces.j');
  });

  it.each(['', 'workspaces: {}', 'workspaces: [a]', 'workspaces: { a: {}, a: {} }', '- a', ': :'])(
    'refuses %j',
    async (yaml) => {
      expect(await mistakes(yaml)).not.toEqual([]);
    },
  );

  it('tells databases apart by what they are, not by who signs in', () => {
    expect(databaseOf('postgres://a:b@Host/x')).toBe(
      databaseOf('postgresql://c@host:5432/x?ssl=1'),
    );
    expect(databaseOf('postgres://host/x')).not.toBe(databaseOf('postgres://host/y'));
    expect(databaseOf('postgres:///x?host=/tmp')).not.toBe(databaseOf('postgres:///x?host=/run'));
  });
});
