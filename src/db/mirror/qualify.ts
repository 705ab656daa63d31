import { quoteIdent, quoteLiteral } from '../../domain/names.ts';

/** As definitions name the schema of mirror tables, until a statement is sent. */
export const MIRROR_SCHEMA = '{mirror}';

/** A table of the mirror, ready for SQL: `"{mirror}"."person"`. */
export function qualify(name: string): string {
  return `"${MIRROR_SCHEMA}".${quoteIdent(name)}`;
}

/** The same as a `regclass`. */
export function regclassSql(name: string): string {
  return `format('%I.%I', '${MIRROR_SCHEMA}', ${quoteLiteral(name)})::regclass`;
}
