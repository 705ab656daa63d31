import type { Disposition } from '../../domain/errors.ts';

/** What an error means to whoever meets it. */
export interface Meaning {
  readonly code: string;
  readonly disposition: Disposition;
  readonly what: string;
  readonly hint?: string;
  /** The server's own words hold names only, no values: safe to show. */
  readonly quotable?: boolean;
}

const tls: Meaning = {
  code: 'database-tls',
  disposition: 'halt',
  what: 'no trusted TLS connection to Postgres',
  hint: 'check sslmode and the certificate authority in DATABASE_URL',
};

const signIn: Meaning = {
  code: 'database-auth',
  disposition: 'halt',
  what: 'Postgres does not let this user in',
  hint: 'check user, database and sslmode in DATABASE_URL, and the server’s pg_hba.conf',
};

const settings: Meaning = {
  code: 'database-refused',
  disposition: 'halt',
  what: 'Postgres refuses what DATABASE_URL asks of the session',
  hint: 'correct the options in DATABASE_URL; a pooler may take none',
};

/**
 * What a server, or a pooler before it, answers to whoever connects, where a statement would mean
 * another thing by it. Its words hold names alone here, so they are told with it.
 */
const byState: Readonly<Record<string, Meaning>> = {
  '0A000': settings,
  '22023': settings,
  '28000': signIn,
  '42501': {
    code: 'database-permission',
    disposition: 'halt',
    what: 'the database user may not connect',
    hint: 'as an administrator: GRANT CONNECT ON DATABASE … TO …',
  },
  '42601': settings,
  '42602': settings,
  '42704': settings,
  '55000': {
    code: 'database-restarting',
    disposition: 'retry',
    what: 'the database takes no connections for now',
    hint: 'it is under maintenance; if it is not: ALTER DATABASE … ALLOW_CONNECTIONS true',
  },
  '57P03': {
    code: 'database-restarting',
    disposition: 'retry',
    what: 'Postgres takes no connections yet, or no more',
    hint: 'none is needed, unless it stays so',
  },
};

/** What poolers and triggers of the database say has no SQLSTATE of its own. */
const refused: Meaning = {
  code: 'database-refused',
  disposition: 'retry',
  what: 'Postgres, or a pooler before it, refuses the connection',
  hint: 'its own words say why; `clarify-sync doctor` tries again',
};

/** Null where it means what it means in a statement. */
export function meaningAtConnect(sqlState: string): Meaning | null {
  const known = byState[sqlState];
  if (known !== undefined) return known;
  return /^(?:08|28|3D|53|57|CS)/.test(sqlState) ? null : refused;
}

const TLS_CODE = /CERT|SSL|TLS|ISSUER|SIGNATURE|_CA$|CRL|EPROTO/;

/** What pg itself says, which gives some errors no code of their own. */
const OWN_WORDS: readonly (readonly [RegExp, Meaning])[] = [
  [
    /^SASL/,
    {
      ...signIn,
      what: 'Postgres refused the user or password',
      hint: 'correct the user and password in DATABASE_URL',
    },
  ],
  [
    /^The server does not support SSL connections/,
    {
      ...tls,
      what: 'Postgres offers no TLS, which DATABASE_URL asks for',
      hint: 'switch it on in the server, or drop sslmode where the way there is safe',
    },
  ],
  [/^There was an error establishing an SSL connection/, tls],
];

export const unreachable: Meaning = {
  code: 'database-unreachable',
  disposition: 'retry',
  what: 'Postgres did not answer',
  hint: 'check that Postgres is up and DATABASE_URL names the right host and port',
};

/** What is told of it beside its code: in our words, for those of others may hold anything. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/before secure TLS connection/, 'the connection ended while TLS was set up'],
  [/timeout|timed out/i, 'no answer in time'],
];

/** An error of the connection, and not of a server: by its errno, else by what pg says. */
export function meaningOfLost(error: Error): {
  readonly meaning: Meaning;
  readonly reason: string;
} {
  const errno = 'code' in error && typeof error.code === 'string' ? error.code : null;
  const [, said] = REASONS.find(([words]) => words.test(error.message)) ?? [];
  const reason = [errno, said].filter((part) => part !== null && part !== undefined).join(': ');
  const own = OWN_WORDS.find(([words]) => words.test(error.message))?.[1];
  return { meaning: own ?? byErrno(error, errno), reason: reason || 'connection lost' };
}

function byErrno(error: Error, errno: string | null): Meaning {
  // pg reads the certificates that the address names.
  if ('syscall' in error && error.syscall === 'open') {
    return {
      ...tls,
      what: 'a file that DATABASE_URL names cannot be read',
      hint: 'check sslrootcert, sslcert and sslkey in DATABASE_URL',
    };
  }
  return errno !== null && TLS_CODE.test(errno) ? tls : unreachable;
}
