import { fromTemplate } from '../../src/db/connection/template.ts';
import { renderSql, type Schemas, schemasOf, TEMPLATE } from '../../src/db/control/schemas.ts';

const { TEST_SCHEMA } = process.env;

/** Where the mirror of a test stands: `TEST_SCHEMA=acme` runs the tests there. */
export const TEST_SCHEMAS: Schemas = TEST_SCHEMA
  ? schemasOf(TEST_SCHEMA, TEMPLATE.title)
  : TEMPLATE;

/** SQL of a test, which is written for the schemas of the template, as it reads in others. */
export function asWritten(text: string, schemas: Schemas = TEST_SCHEMAS): string {
  return renderSql(fromTemplate(text, schemas, `"${schemas.mirror}"`), schemas);
}
