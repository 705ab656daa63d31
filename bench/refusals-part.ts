import { atMost, type Figure } from './figures.ts';
import type { Told } from './parts.ts';
import { type Postgres, query } from './postgres.ts';
import { runNode } from './process.ts';
import {
  type Emulator,
  environment,
  PROGRAM,
  runProgram,
  startWorkspace,
  withDatabase,
  withStarted,
} from './stage.ts';

const MANY = 1_500;
const MOST_WRITES = 60;
const EACH = 1.2;
/** Something is left for a person. */
const PARKED = [3];

/** A workspace in which rows are edited so that the CRM refuses them. */
interface Workspace {
  readonly crm: string;
  readonly object: string;
  readonly sizes: Readonly<Record<string, number>>;
  readonly switches: Readonly<Record<string, unknown>>;
  /** A value that no list has, by the number of the row. */
  readonly wrong: (value: string) => string;
  /** An edit that is taken. */
  readonly good: string;
  /** Rows wrong in three ways, the number of the row being `n`. */
  readonly threeWays: string;
  /** Of the case in which most rows are good: one by one they take their time. */
  readonly mixed: number;
  /** Records of a call. */
  readonly batch: number;
}

const WORKSPACES: readonly Workspace[] = [
  {
    crm: 'clarify',
    object: 'person',
    sizes: { people: 2_000, companies: 100 },
    switches: { ratePerMinute: 1_000_000 },
    wrong: (value) => `lifecycle = ${value}`,
    good: `job_title = 'Edited ' || n`,
    threeWays: `lifecycle = CASE n % 3 WHEN 0 THEN 'Nowhere' ELSE lifecycle END,
      interests = CASE n % 3 WHEN 1 THEN ARRAY['Nowhere'] ELSE interests END,
      company_id = CASE n % 3 WHEN 2 THEN 'nobody' ELSE company_id END`,
    mixed: MANY,
    batch: 100,
  },
  {
    crm: 'attio',
    object: 'projects',
    sizes: { people: 10, companies: 10, deals: 10, projects: 2_000 },
    switches: { writesPerSecond: 100_000, readsPerSecond: 100_000 },
    wrong: (value) => `urgency = ${value}`,
    good: 'hours = n',
    threeWays: `urgency = CASE n % 3 WHEN 0 THEN 'Nowhere' WHEN 1 THEN 'Never' ELSE urgency END,
      tags = CASE n % 3 WHEN 2 THEN ARRAY['Nowhere'] ELSE tags END`,
    mixed: 300,
    batch: 1,
  },
  {
    crm: 'kizen',
    object: 'companies',
    sizes: { contacts: 10, companies: 2_000, deals: 10, projects: 10 },
    switches: {},
    wrong: (value) => `industry = ${value}`,
    good: 'employees = n',
    threeWays: `industry = 'Nowhere ' || n % 3`,
    mixed: 100,
    batch: 1,
  },
  {
    crm: 'brevo',
    object: 'contacts',
    sizes: { contacts: 2_000, companies: 10, deals: 10, vehicles: 0, trips: 0 },
    switches: { contactsPerSecond: 0, contactsPerHour: 0, othersPerHour: 0 },
    wrong: (value) => `"TIER" = ${value}`,
    good: '"SCORE" = n',
    threeWays: `"TIER" = 'Nowhere ' || n % 3`,
    mixed: 100,
    batch: 1,
  },
];

/** What refused rows cost in writes, and that each is parked and all others arrive. */
export async function refusalsPart(postgres: Postgres, { tell }: Told): Promise<void> {
  for (const workspace of WORKSPACES) {
    await withStarted(startWorkspace(workspace), async (emulator) => {
      for (const one of casesOf(workspace)) {
        const writes = await measure(emulator, postgres, { workspace, ...one });
        tell(one.figureOf(writes));
      }
    });
  }
}

interface Case {
  readonly set: string;
  readonly rows: number;
  readonly refused: number;
  readonly figureOf: (writes: number) => Figure;
}

function casesOf({ crm, wrong, good, threeWays, mixed, batch }: Workspace): readonly Case[] {
  const writesOf = (name: string) => (value: number) => {
    return { name: `${name} (${crm})`, value, unit: 'writes', limit: atMost(MOST_WRITES) };
  };
  const all = { rows: MANY, refused: MANY };
  const taken = mixed - mixed / 10;
  return [
    { ...all, set: wrong(`'Nowhere'`), figureOf: writesOf('1,500 rows refused for one reason') },
    {
      ...all,
      set: wrong(`'Nowhere ' || n`),
      figureOf: (writes) => ({
        name: `1,500 rows refused for as many values (${crm})`,
        value: writes / MANY,
        unit: 'writes each',
        limit: atMost(EACH),
        note: `${writes} in all`,
      }),
    },
    {
      ...all,
      set: threeWays,
      figureOf: writesOf('1,500 rows refused for three reasons by turns'),
    },
    {
      rows: mixed,
      refused: mixed / 10,
      set: `${wrong(`CASE n % 10 WHEN 0 THEN 'Nowhere' ELSE $old END`)}, ${good}`,
      figureOf: (writes) => ({
        ...writesOf(`every tenth of ${mixed} rows refused`)(writes - Math.ceil(taken / batch)),
        note: 'beyond those that the good rows take by themselves',
      }),
    },
  ];
}

async function measure(
  emulator: Emulator,
  postgres: Postgres,
  { workspace, set, rows, refused }: { readonly workspace: Workspace } & Case,
): Promise<number> {
  const { crm, object, wrong } = workspace;
  const column = wrong('').split(' ')[0] ?? '';
  return await withDatabase(postgres, async (databaseUrl) => {
    await runProgram(emulator, databaseUrl, ['backfill', object]);
    await query(
      databaseUrl,
      `UPDATE ${crm}.${object} AS t SET ${set.replaceAll('$old', `t.${column}`)}
         FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM ${crm}.${object}) AS numbered
        WHERE t.id = numbered.id AND n <= $1`,
      [rows],
    );
    const before = await countWrites(emulator);
    const args = [PROGRAM, 'push', object, '--json'];
    await runNode(args, environment(emulator, databaseUrl), PARKED);
    const writes = (await countWrites(emulator)) - before;
    const [ended] = await query(
      databaseUrl,
      `SELECT count(*) FILTER (WHERE state = 'parked' AND last_error LIKE 'remote-invalid: %')::integer AS refused,
              count(*) FILTER (WHERE state = 'done')::integer AS done, count(*)::integer AS all
         FROM ${crm}_sync.outbox`,
    );
    const isRight =
      ended?.['refused'] === refused && ended['done'] === rows - refused && ended['all'] === rows;
    if (!isRight) throw new Error(`${crm}: ${refused} of ${rows}, not ${JSON.stringify(ended)}`);
    return writes;
  });
}

/** What changes records: some CRMs are asked for lists by POST. */
async function countWrites(emulator: Emulator): Promise<number> {
  return Object.entries((await emulator.stats()).endpoints)
    .filter(([endpoint]) => !/^GET |\/(query|search)$/.test(endpoint))
    .reduce((sum, [, { requests }]) => sum + requests, 0);
}
