// What introspection makes of the mirror: drizzle-kit pull, and Prisma's own schema engine as it comes
// in a package. `prisma db pull` is the same engine, fetched from elsewhere.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import pg from 'pg';
import * as engineParts from '../node_modules/@prisma/schema-engine-wasm/schema_engine_bg.js';

const url = process.env.DATABASE_URL;
execFileSync('drizzle-kit', ['pull', '--config', 'drizzle.config.mjs'], { stdio: 'ignore' });
const drizzleSchema = readFileSync('pulled/schema.ts', 'utf8');
const drizzleRelations = readFileSync('pulled/relations.ts', 'utf8');

const binary = new URL(
  '../node_modules/@prisma/schema-engine-wasm/schema_engine_bg.wasm',
  import.meta.url,
);
const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(binary)), {
  './schema_engine_bg.js': engineParts,
});
engineParts.__wbg_set_wasm(instance.exports);
instance.exports.__wbindgen_start();
globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: (message) => console.error(message) };

// The adapter knows no "char", of which the catalog is full.
let chars = new Set();
const query = pg.Pool.prototype.query;
pg.Pool.prototype.query = async function (...args) {
  const result = await Promise.resolve(query.apply(this, args));
  chars = new Set();
  for (const field of result.fields ?? []) {
    if (field.dataTypeID === 18) {
      field.dataTypeID = 25;
      chars.add(field.name);
    }
    if (field.dataTypeID === 1002) field.dataTypeID = 1009;
  }
  return result;
};
const adapter = new PrismaPg({ connectionString: url });
const factory = {
  provider: adapter.provider,
  adapterName: adapter.adapterName,
  connectToShadowDb: () => adapter.connectToShadowDb(),
  async connect() {
    const connection = await adapter.connect();
    const queryRaw = connection.queryRaw.bind(connection);
    connection.queryRaw = async (asked) => {
      const result = await queryRaw(asked);
      result.columnNames.forEach((name, at) => {
        if (chars.has(name)) result.columnTypes[at] = ColumnTypeEnum.Character;
      });
      return result;
    };
    return connection;
  },
};
const content = 'datasource db {\n  provider = "postgresql"\n  schemas = ["clarify"]\n}\n';
const engine = await engineParts.SchemaEngine.new(
  { datamodels: [['schema.prisma', content]] },
  () => {},
  bindSqlAdapterFactory(factory),
);
const pulled = await engine.introspect({
  schema: { files: [{ path: 'schema.prisma', content }] },
  baseDirectoryPath: '.',
  force: true,
  compositeTypeDepth: -1,
  namespaces: ['clarify'],
});
const model = (text, name) => new RegExp(`^model ${name} \\{$[^}]*`, 'm').exec(text)?.[0] ?? '';
const lines = model(pulled.schema.files[0].content, 'deal')
  .split('\n')
  .map((line) => line.trim());
const squeezed = lines.map((line) => line.replaceAll(/ +/g, ' '));
console.log(
  JSON.stringify({
    prisma: squeezed.filter((line) => /^(?:key|amount|company|deal_people|close_date) /.test(line)),
    drizzle: [
      /companyInClarify: one\(companyInClarify, \{\s*fields: \[dealInClarify\.companyId\]/.test(
        drizzleRelations,
      ),
      /dealPeopleInClarifies: many\(dealPeopleInClarify\)/.test(drizzleRelations),
      /amount: numeric\(\{ ?precision:\s*20,\s*scale:\s*4\s*\}\)/.test(drizzleSchema),
      /key: text\("_key"\)\.default\('local:'\)\.notNull\(\)/.test(drizzleSchema),
    ],
    // Two fields whose names differ by an underscore, and one with a quote in it.
    odd: {
      prisma: model(pulled.schema.files[0].content, 'c_odd').match(/^ *created_at /gm)?.length,
      drizzle: drizzleSchema.match(/c_odd[^]*?\}, \(/)?.[0].match(/createdAt:/g)?.length,
      quote: drizzleSchema.includes('say \\"hi\\"') || drizzleSchema.includes('\'say "hi"\''),
    },
  }),
);
process.exit(0);
