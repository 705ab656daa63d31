import { expect, test } from 'vitest';
import { TEMPLATE } from '../../../src/db/control/schemas.ts';
import type { Catalog } from '../../../src/db/mirror/catalog.ts';
import { planMirror, planSteps } from '../../../src/db/mirror/plan.ts';
import type { StandingRelation } from '../../../src/db/mirror/standing-relations.ts';
import { field, hostileNames, manyToMany, objectOf, personName } from './schemas.ts';

const empty: Catalog = {
  schemas: TEMPLATE,
  home: '1/2',
  unenforced: false,
  relations: new Map(),
  histories: new Map(),
  mirrors: new Map(),
  objects: [],
  functions: new Set(['identity_keys']),
  schemaStands: true,
  historyStands: true,
  filled: new Set(),
  numbers: new Map(),
  troubled: new Set(),
};

const foreign: StandingRelation = {
  oid: '3',
  keys: [],
  hasPrimaryKey: false,
  foreignKeys: [],
  kind: 'r',
  comment: null,
  columns: new Map(),
  triggers: new Set(),
  indexOf: null,
  kin: [],
};

const sqlOf = (catalog: Catalog, ...wanted: Parameters<typeof planMirror>[1]) =>
  planSteps(planMirror(catalog, wanted)).map(({ sql }) => sql);

test('a new object is a table made from its definition, labelled, with its triggers', () => {
  const deal = objectOf('deal', [field('owner_id', 'reference', { label: "Owner's id" })]);
  const [create, ...rest] = sqlOf(empty, deal);
  expect(create).toBe(`CREATE TABLE "clarify"."deal" (
  "id" text DEFAULT ('local:' || gen_random_uuid()) PRIMARY KEY,
  "_local_id" text,
  "_key" text DEFAULT 'local:' NOT NULL UNIQUE,
  "_created_at" timestamp with time zone,
  "_updated_at" timestamp with time zone,
  "_created_by" text,
  "_updated_by" text,
  "_merged_ids" text[],
  "_synced_at" timestamp with time zone,
  "_extra" jsonb,
  "owner_id" text
)`);
  expect(rest).toContain(`COMMENT ON COLUMN "clarify"."deal"."owner_id" IS 'Owner''s id'`);
  expect(rest).toContain(
    `CREATE INDEX "deal__owner_id__local" ON "clarify"."deal" (id) WHERE "owner_id" LIKE 'local:%'`,
  );
  expect(rest.filter((sql) => sql.startsWith('CREATE TRIGGER'))).toEqual([
    'CREATE TRIGGER clarify_capture_insert AFTER INSERT ON "clarify"."deal" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION clarify_sync.capture()',
    'CREATE TRIGGER clarify_capture_update AFTER UPDATE ON "clarify"."deal" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION clarify_sync.capture()',
    'CREATE TRIGGER clarify_capture_delete AFTER DELETE ON "clarify"."deal" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION clarify_sync.capture()',
    `CREATE TRIGGER clarify_notify_insert AFTER INSERT ON "clarify"."deal" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION clarify_sync.notify_change('deal', 'id')`,
    `CREATE TRIGGER clarify_notify_update AFTER UPDATE ON "clarify"."deal" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION clarify_sync.notify_change('deal', 'id')`,
    `CREATE TRIGGER clarify_notify_delete AFTER DELETE ON "clarify"."deal" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION clarify_sync.notify_change('deal', 'id')`,
    `CREATE TRIGGER clarify_key BEFORE INSERT ON "clarify"."deal" FOR EACH ROW WHEN (NEW._key IS NULL OR NEW._key = 'local:' OR NEW.id LIKE 'local:%') EXECUTE FUNCTION clarify_sync.keep_key()`,
    'CREATE TRIGGER clarify_refuse_truncate BEFORE TRUNCATE ON "clarify"."deal" FOR EACH STATEMENT EXECUTE FUNCTION clarify_sync.refuse_truncate()',
  ]);
});

test('parts are generated columns', () => {
  const [create] = sqlOf(empty, objectOf('person', [personName]));
  expect(create).toContain(
    `"name__full_name" text GENERATED ALWAYS AS (("name" ->> 'full_name')) STORED`,
  );
  expect(create).toContain(
    `"name__age" numeric GENERATED ALWAYS AS (CASE WHEN jsonb_typeof("name" -> 'age') = 'number' THEN ("name" ->> 'age')::numeric END) STORED`,
  );
});

test('nothing that comes from the CRM gets out of its quotes', () => {
  const hostile = `x"; DROP TABLE clarify.deal; --'\\`;
  const fields = hostileNames.map((name) => field(name, 'text', { label: hostile }));
  const wanted = objectOf(hostile, [
    ...fields,
    field(hostile, 'json', { parts: [{ name: hostile, kind: 'number' }] }),
    manyToMany('many', hostile, hostile),
  ]);
  for (const sql of sqlOf(empty, wanted)) {
    const bare = sql.replaceAll(/E'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"/gs, '');
    expect(bare).not.toMatch(/[;'"]|--|DROP/);
  }
});

test("a name that stands and is not ours is a problem of that object's alone", () => {
  const catalog = { ...empty, relations: new Map([['deal', foreign]]) };
  const plan = planMirror(catalog, [objectOf('deal', []), objectOf('person', [])]);
  expect(plan.problems).toMatchObject([{ object: 'deal', code: 'mirror-name-taken' }]);
  expect(plan.objects.map(({ object }) => object)).toEqual(['person']);
  expect(plan.problems[0]?.error.hint).toContain('rename clarify.deal');
});

test('an object whose name cannot be stored is a problem, its label is not', () => {
  const plan = planMirror(empty, [
    objectOf('a\0b', []),
    objectOf('deal', [field('x\0')], { label: { singular: 'D\0', plural: '\ud800s' } }),
  ]);
  expect(plan.problems.map(({ code }) => code)).toEqual(['mirror-name-unstorable']);
  expect(plan.schemas[1]?.label).toEqual({ singular: 'D\ufffd', plural: '\ufffds' });
  expect(plan.schemas[1]?.fields).toEqual([]);
});

test('an object called like a link table of another pair does not share its table', () => {
  const deal = objectOf('deal', [manyToMany('people', 'person', 'deals')]);
  const plan = planMirror(empty, [deal, objectOf('deal_people', [])]);
  expect(plan.problems).toEqual([]);
  expect(plan.objects.map(({ table }) => table.name)).toEqual(['deal', 'deal_people']);
  expect(plan.links.map(({ object }) => object)).toEqual([
    expect.stringMatching(/^deal_people_[0-9a-f]{8}$/),
  ]);
});

test('indexes that every row pays for wait until the first read is done', () => {
  const person = objectOf('person', [field('email_addresses', 'texts')], {
    identity: 'email_addresses',
  });
  const indexes = (catalog: Catalog) =>
    sqlOf(catalog, person).filter((sql) => sql.startsWith('CREATE INDEX'));
  expect(indexes(empty)).toEqual([]);
  expect(indexes({ ...empty, filled: new Set(['person']) })).toHaveLength(3);
});
