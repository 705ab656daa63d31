import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Emulator } from '../../src/emulator/clarify/emulator.ts';
import type { Chance } from '../simulation/chance.ts';

/** What the record of a row that was inserted here has to be in the end. */
export interface Birth {
  readonly object: string;
  /** The field that names it; no other record has its value. */
  readonly markedBy: string;
  readonly mark: string;
  /** A field that is edited, and the value it had last. */
  readonly edited: string;
  value: string | number | null;
  alive: boolean;
  /** Edits of which Postgres said that they changed nothing. */
  missed: number;
}

export interface Load {
  readonly births: readonly Birth[];
  readonly commits: number;
  stop(): Promise<void>;
}

type Kind = Pick<Birth, 'object' | 'markedBy' | 'edited'>;

const PERSON: Kind = { object: 'person', markedBy: 'job_title', edited: 'lead_score' };
const COMPANY: Kind = { object: 'company', markedBy: 'name', edited: 'employee_count' };
const DEAL: Kind = { object: 'deal', markedBy: 'name', edited: 'amount' };
const TASK: Kind = { object: 'task', markedBy: 'title', edited: 'priority' };
const PROJECT: Kind = { object: 'c_project', markedBy: 'name', edited: 'budget' };
const PRIORITIES = ['Low', 'Medium', 'High'];

/**
 * Users of the warehouse and of the app at work, until stopped. Users of the app leave alone what
 * was inserted here, and the fields that are edited here: nothing of it is a conflict.
 */
export function startLoad(
  client: pg.Client,
  emulator: Emulator,
  { chance, pauseMs }: { readonly chance: Chance; readonly pauseMs: number },
): Load {
  const births: Birth[] = [];
  const stopping = new AbortController();
  const people = emulator.store.ids('person');
  let commits = 0;

  const bear = async (kind: Kind): Promise<void> => {
    const mark = `${kind.object} ${births.length + 1}`;
    const birth = { ...kind, mark, value: null, alive: true, missed: 0 };
    switch (kind) {
      case PERSON:
        await client.query(
          'INSERT INTO clarify.person (job_title, email_addresses) VALUES ($1, ARRAY[$2])',
          [mark, `${mark.replace(' ', '-')}@endurance.test`],
        );
        break;
      case DEAL: {
        // With its company, which it can only name by the id given here.
        const company = {
          ...COMPANY,
          mark: `company of ${mark}`,
          value: null,
          alive: true,
          missed: 0,
        };
        await client.query(
          `WITH company AS (INSERT INTO clarify.company (name) VALUES ($1) RETURNING id)
           INSERT INTO clarify.deal (name, company_id) SELECT $2, id FROM company`,
          [company.mark, mark],
        );
        births.push(company);
        break;
      }
      default:
        await client.query(`INSERT INTO clarify.${kind.object} (${kind.markedBy}) VALUES ($1)`, [
          mark,
        ]);
    }
    births.push(birth);
  };

  const edit = async (): Promise<void> => {
    const birth = chance.any(births.filter(({ alive }) => alive));
    if (!birth) return;
    const value = birth.object === 'task' ? chance.of(PRIORITIES) : chance.int(1, 1e6);
    const { rowCount } = await client.query(
      `UPDATE clarify.${birth.object} SET ${birth.edited} = $1 WHERE ${birth.markedBy} = $2`,
      [value, birth.mark],
    );
    birth.value = value;
    if (rowCount === 0) birth.missed += 1;
  };

  const remove = async (): Promise<void> => {
    const birth = chance.any(births.filter(({ alive, object }) => alive && object === 'task'));
    if (!birth) return;
    await client.query('DELETE FROM clarify.task WHERE title = $1', [birth.mark]);
    birth.alive = false;
  };

  const link = async (): Promise<void> => {
    await client.query(
      `INSERT INTO clarify.deal_people (deal_id, person_id)
       SELECT id, $1 FROM clarify.deal ORDER BY random() LIMIT 1 ON CONFLICT DO NOTHING`,
      [chance.of(people)],
    );
  };

  const step = async (): Promise<void> => {
    const action = chance.weighted([
      [5, () => bear(chance.of([PERSON, COMPANY, DEAL, TASK, PROJECT]))],
      [5, edit],
      [1, remove],
      [1, link],
      [2, null],
    ]);
    if (action === null) {
      const page = `https://example.test/${chance.int(1, 1e9)}`;
      emulator.store.update('person', chance.of(people), { linkedin_url: page });
    } else {
      await action();
      commits += 1;
    }
  };

  const working = (async () => {
    while (!stopping.signal.aborted) {
      await step();
      const { signal } = stopping;
      await sleep(2 * pauseMs * chance.next(), undefined, { signal }).catch(() => undefined);
    }
  })();
  return {
    births,
    get commits() {
      return commits;
    },
    async stop() {
      stopping.abort();
      await working;
    },
  };
}
