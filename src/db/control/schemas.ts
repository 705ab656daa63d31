import { fitName, SCHEMA_TOKENS } from '../../domain/names.ts';

/** The schemas of one workspace: all that is ours in a database. */
export interface Schemas {
  /** Of the mirror tables. */
  readonly mirror: string;
  /** Of the control tables. */
  readonly control: string;
  readonly history: string;
  /** Whose records they mirror, for comments and messages: the title of the CRM. */
  readonly title: string;
}

/** So that the longest name made of it still is one. */
const MOST_BYTES = 55;

/** What is wrong with the name of a schema for mirror tables, to follow it; null if nothing. */
export function checkSchemaName(name: string): string | null {
  if (!/^[a-z_][a-z0-9_]*$/.test(name)) {
    return 'must be a name of a-z, 0-9 and _, and not begin with a digit';
  }
  if (name.length > MOST_BYTES) return `must have ${MOST_BYTES} characters at most`;
  if (name.startsWith('pg_') || name === 'information_schema' || name === 'public') {
    return 'must not be a schema of Postgres itself';
  }
  return /_(?:sync|history)$/.test(name) ? 'must not end in _sync or _history' : null;
}

/** `mirror` is a name that {@link checkSchemaName} finds nothing wrong with. */
export function schemasOf(mirror: string, title = capitalised(mirror)): Schemas {
  return { mirror, control: `${mirror}_sync`, history: `${mirror}_history`, title };
}

/** The names that migrations are written with: those of the only workspace there once could be. */
export const TEMPLATE: Schemas = schemasOf('clarify_sync'.replace(/_sync$/, ''));

/**
 * A statement as it is sent: `{mirror}`, `{sync}` and `{history}`, with what follows of a name,
 * become names of these schemas, fitted where they are longer than Postgres takes. Whatever else
 * reads so was quoted by `quoteIdent` or `quoteLiteral`, which leave no token, or is a parameter.
 * Names of channels, triggers and publications are written the same way.
 */
export function renderSql(text: string, schemas: Schemas): string {
  if (text.startsWith(VERBATIM)) return text;
  return text.replace(SCHEMA_TOKENS, (_token, which: string, rest: string) =>
    fitName(`${nameFor(which, schemas)}${rest}`, () => false),
  );
}

/** Begins a statement that the server itself has written, with names as they are. */
const VERBATIM = '/* as it is */ ';

/** A statement in which nothing is a token: one that came from the database, names of users in it. */
export function verbatim(statement: string): string {
  return `${VERBATIM}${statement}`;
}

function nameFor(token: string, schemas: Schemas): string {
  if (token === 'sync') return schemas.control;
  return token === 'history' ? schemas.history : schemas.mirror;
}

function capitalised(name: string): string {
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
}
