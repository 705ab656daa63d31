import { type DemoScript, type Ground, NotArrived, type Stage } from '../kernel/demo-script.ts';
import { isObject } from '../kernel/fields.ts';
import type { SampleSizes } from './sample-data.ts';
import type { Store } from './store.ts';

export const demoSizes: SampleSizes = {
  companies: 80,
  client_client: 300,
  deals: 120,
  projects: 30,
};

const TITLES = ['Head of Data', 'Account Executive', 'Buyer', 'Chief of Staff', 'Site Manager'];

/** Edits of both sides, and that each arrives on the other. */
export function demoScript(store: Store): DemoScript {
  return {
    objects: ['client_client', 'companies', 'deals', 'projects'],
    exclude: [],
    scenes: [
      { title: 'An edit in Kizen arrives in SQL', play: (stage) => remoteEdit(store, stage) },
      { title: 'An edit in SQL arrives in Kizen', play: (stage) => localEdit(store, stage) },
      {
        title: 'A deal moved in SQL is in its new stage in Kizen',
        play: (stage) => localMove(store, stage),
      },
      {
        title: 'A company and a contact born in SQL get their ids from Kizen',
        play: (stage) => localBirth(store, stage),
      },
      {
        title: 'Both sides edit one field: settled by policy, and on record',
        play: (stage) => conflict(store, stage),
      },
      {
        title: 'A row deleted in SQL is archived in Kizen',
        play: (stage) => localArchive(store, stage),
      },
    ],
    turns: [
      (ground, turn) => remoteTurn(store, ground, turn),
      (ground, turn) => localTurn(store, ground, turn),
    ],
    query: 'select id, full_name, job_title from kizen.client_client limit 5;',
  };
}

async function remoteEdit(store: Store, { one, did, arrives }: Stage): Promise<void> {
  const id = nth(store.ids('client_client'), 7);
  const title = 'Head of Data';
  store.update('client_client', id, { job_title: title });
  did('crm', `somebody edits a contact: job_title = ${title}`);
  await arrives(
    'sql',
    `select job_title from kizen.client_client where id = '${id}'  →  ${title}`,
    () => one('select 1 from kizen.client_client where id = $1 and job_title = $2', [id, title]),
  );
}

async function localEdit(store: Store, { sql, did, arrives }: Stage): Promise<void> {
  const id = nth(store.ids('deals'), 5);
  const statement = `update kizen.deals set entity_value = 125000.50 where id = '${id}'`;
  await sql.query(statement);
  did('sql', statement);
  await arrives('crm', `the deal's value is 125000.50`, async () => {
    const value = valueOf(store, 'deals', id, 'entity_value');
    return isObject(value) && value['amount'] === 125000.5 ? true : null;
  });
}

async function localMove(store: Store, { sql, did, one, arrives }: Stage): Promise<void> {
  const id = await openDeal(store, one);
  const statement = `update kizen.deals set stage = 'Won' where id = '${id}'`;
  await sql.query(statement);
  did('sql', statement);
  await arrives('crm', 'the deal is won, by a move', async () =>
    labelOf(valueOf(store, 'deals', id, 'stage')) === 'Won' ? true : null,
  );
  await arrives('sql', 'and Kizen has set the day on which it closed', () =>
    one('select 1 from kizen.deals where id = $1 and actual_close_date is not null', [id]),
  );
}

async function openDeal(store: Store, one: Stage['one']): Promise<string> {
  const row = await one(
    `select id from kizen.deals where stage = 'Lead' and actual_close_date is null order by id limit 1`,
  );
  return text(row?.['id']) || nth(store.ids('deals'), 2);
}

async function localBirth(store: Store, { one, did, arrives }: Stage): Promise<void> {
  const email = 'nora@lighthouse.example';
  const born = await one(
    `with home as (
       insert into kizen.companies (name, website)
       values ('Lighthouse Labs', 'https://lighthouse.example') returning id)
     insert into kizen.client_client (first_name, last_name, email, company)
     select 'Nora', 'Lind', $1, id from home
     returning id`,
    [email],
  );
  if (born === null) throw new NotArrived();
  did('sql', `insert into kizen.companies …, kizen.client_client …  →  ${text(born['id'])}`);
  const id = await arrives('crm', 'both are there, and linked', async () => {
    const found = store
      .ids('client_client')
      .find((each) => valueOf(store, 'client_client', each, 'email') === email);
    if (found === undefined) return null;
    const company = valueOf(store, 'client_client', found, 'company');
    return isObject(company) && company['name'] === 'Lighthouse Labs' ? found : null;
  });
  await arrives('sql', `the row is ${id} now; current_id() knows the old id`, () =>
    one(
      `select 1 from kizen.client_client where id = $1 and company not like 'local:%'
          and kizen_sync.current_id('client_client', $2) = $1`,
      [id, born['id']],
    ),
  );
}

/**
 * The edit in SQL is made first and committed last, so that the one in Kizen falls between: no matter
 * how fast the service is, both start from the same value.
 */
async function conflict(store: Store, stage: Stage): Promise<void> {
  const { sql, one, until, did, tells, arrives } = stage;
  const id = nth(store.ids('deals'), 9);
  const statement = `update kizen.deals set channel = 'Event' where id = '${id}'`;
  const shows = (value: string) =>
    one('select 1 from kizen.deals where id = $1 and channel = $2', [id, value]);
  store.update('deals', id, { channel: 'Referral' });
  await until(() => shows('Referral'));
  await sql.transaction(async (tx) => {
    await tx.query(statement);
    store.update('deals', id, { channel: 'Web' });
  });
  did('sql', statement);
  did('crm', `meanwhile somebody sets the same deal's channel = Web`);
  const logged = await arrives('sql', 'select … from kizen_sync.conflict has it:', () =>
    one(
      `select base #>> '{}' as base, local #>> '{}' as local, remote #>> '{}' as remote, resolution
         from kizen_sync.conflict
        where object = 'deals' and record_id = $1 and field = 'channel' and resolution <> 'open'`,
      [id],
    ),
  );
  const [base, local, remote] = [
    text(logged['base']),
    text(logged['local']),
    text(logged['remote']),
  ];
  const resolution = text(logged['resolution']);
  tells('sql', `base ${base}, local ${local}, remote ${remote}: the newer one wins, ${resolution}`);
  const winner = resolution === 'local' ? local : remote;
  await arrives('sql', `both sides say ${winner}`, async () => {
    const here = await shows(winner);
    const there = labelOf(valueOf(store, 'deals', id, 'channel'));
    return here !== null && there === winner ? here : null;
  });
}

/** What is archived in the app is found by comparing, which takes longer than anybody watches. */
async function localArchive(store: Store, { sql, one, did, arrives }: Stage): Promise<void> {
  const id = nth(store.ids('projects'), 3);
  const statement = `delete from kizen.projects where id = '${id}'`;
  await sql.query(statement);
  did('sql', statement);
  await arrives('crm', 'the project is in the archive', async () =>
    store.get('projects', id) === null ? true : null,
  );
  await arrives('sql', 'kizen_sync.tombstone keeps what it was', () =>
    one(`select 1 from kizen_sync.tombstone where object = 'projects' and id = $1`, [id]),
  );
}

async function remoteTurn(store: Store, { one, until }: Ground, turn: number): Promise<string> {
  const id = anyOf(store.ids('client_client'));
  const title = `${anyOf(TITLES)} ${turn}`;
  store.update('client_client', id, { job_title: title });
  await until(() =>
    one('select 1 from kizen.client_client where id = $1 and job_title = $2', [id, title]),
  );
  return `Kizen → SQL   contact ${id}: job_title = ${title}`;
}

async function localTurn(store: Store, { sql, until }: Ground, turn: number): Promise<string> {
  const id = anyOf(store.ids('companies'));
  const employees = 10 * (turn + 1);
  await sql.query('update kizen.companies set employees = $1 where id = $2', [employees, id]);
  await until(async () =>
    valueOf(store, 'companies', id, 'employees') === employees ? true : null,
  );
  return `SQL → Kizen   company ${id}: employees = ${employees}`;
}

function valueOf(store: Store, object: string, id: string, name: string): unknown {
  const fields = store.get(object, id)?.['fields'];
  const field = isObject(fields) ? fields[store.fieldId(object, name)] : null;
  return isObject(field) ? field['value'] : null;
}

function labelOf(option: unknown): unknown {
  return isObject(option) ? option['name'] : null;
}

function nth(ids: readonly string[], index: number): string {
  return ids[index] ?? '';
}

function anyOf(items: readonly string[]): string {
  return items[Math.floor(Math.random() * items.length)] ?? '';
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
