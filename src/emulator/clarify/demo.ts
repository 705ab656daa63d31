import { type DemoScript, type Ground, NotArrived, type Stage } from '../kernel/demo-script.ts';
import type { Fields } from '../kernel/fields.ts';
import type { Store } from './store.ts';

export const demoSizes = { company: 150, person: 500, deal: 200 };

const TITLES = ['Head of Data', 'Account Executive', 'Buyer', 'Chief of Staff', 'Site Manager'];

/** Edits of both sides, and that each arrives on the other. */
export function demoScript(store: Store): DemoScript {
  return {
    objects: [
      'c_project',
      'company',
      'deal',
      'meeting',
      'meeting_recording',
      'message',
      'person',
      'task',
    ],
    exclude: ['playbook'],
    scenes: [
      { title: 'An edit in Clarify arrives in SQL', play: (stage) => remoteEdit(store, stage) },
      { title: 'An edit in SQL arrives in Clarify', play: (stage) => localEdit(store, stage) },
      {
        title: 'A company and a person born in SQL get their ids from Clarify',
        play: (stage) => localBirth(store, stage),
      },
      {
        title: 'Both sides edit one field: settled by policy, and on record',
        play: (stage) => conflict(store, stage),
      },
      {
        title: 'A record deleted in Clarify leaves SQL',
        play: (stage) => remoteDelete(store, stage),
      },
    ],
    turns: [
      (ground, turn) => remoteTurn(store, ground, turn),
      (ground, turn) => localTurn(store, ground, turn),
    ],
    query: 'select id, name__full_name, job_title from clarify.person limit 5;',
  };
}

async function remoteEdit(store: Store, { one, did, arrives }: Stage): Promise<void> {
  const id = nth(store.ids('person'), 7);
  const title = 'Head of Data';
  store.update('person', id, { job_title: title });
  did('crm', `somebody edits a person: job_title = ${title}`);
  await arrives('sql', `select job_title from clarify.person where id = '${id}'  →  ${title}`, () =>
    one('select 1 from clarify.person where id = $1 and job_title = $2', [id, title]),
  );
}

async function localEdit(store: Store, { sql, did, arrives }: Stage): Promise<void> {
  const id = nth(store.ids('deal'), 5);
  const statement = `update clarify.deal set amount = 125000.50 where id = '${id}'`;
  await sql.query(statement);
  did('sql', statement);
  await arrives('crm', `the deal's amount is 125000.50`, async () => {
    const amount = store.get('deal', id)?.attributes['amount'];
    return Number(amount) === 125000.5 ? true : null;
  });
}

async function localBirth(store: Store, { one, did, arrives }: Stage): Promise<void> {
  const email = 'nora@lighthouse.example';
  const born = await one(
    `with home as (
       insert into clarify.company (name, domains)
       values ('Lighthouse Labs', '{lighthouse.example}') returning id)
     insert into clarify.person (name, email_addresses, company_id)
     select '{"first_name": "Nora", "last_name": "Lind"}', array[$1], id from home
     returning id`,
    [email],
  );
  if (born === null) throw new NotArrived();
  did('sql', `insert into clarify.company …, clarify.person …  →  ${text(born['id'])}`);
  const person = await arrives('crm', 'both are there, and linked', async () => {
    const found = store.all('person').find(({ attributes }) => holds(attributes, email));
    const company = store.get('company', text(found?.attributes['company_id']));
    return company?.attributes['name'] === 'Lighthouse Labs' && found ? found : null;
  });
  await arrives('sql', `the row is ${person.id} now; current_id() knows the old id`, () =>
    one(
      `select 1 from clarify.person where id = $1 and company_id not like 'local:%'
          and clarify_sync.current_id('person', $2) = $1`,
      [person.id, born['id']],
    ),
  );
}

function holds(attributes: Fields, email: string): boolean {
  return JSON.stringify(attributes['email_addresses'] ?? null).includes(`"${email}"`);
}

/**
 * The edit in SQL is made first and committed last, so that the one in Clarify falls between: no
 * matter how fast the service is, both start from the same value.
 */
async function conflict(store: Store, stage: Stage): Promise<void> {
  const { sql, one, until, did, tells, arrives } = stage;
  const id = nth(store.ids('deal'), 9);
  const statement = `update clarify.deal set stage = 'Proposal' where id = '${id}'`;
  const shows = (value: string) =>
    one('select 1 from clarify.deal where id = $1 and stage = $2', [id, value]);
  store.update('deal', id, { stage: 'Discovery' });
  await until(() => shows('Discovery'));
  await sql.transaction(async (tx) => {
    await tx.query(statement);
    store.update('deal', id, { stage: 'Won' });
  });
  did('sql', statement);
  did('crm', `meanwhile somebody sets the same deal's stage = Won`);
  const logged = await arrives('sql', 'select … from clarify_sync.conflict has it:', () =>
    one(
      `select base #>> '{}' as base, local #>> '{}' as local, remote #>> '{}' as remote, resolution
         from clarify_sync.conflict
        where object = 'deal' and record_id = $1 and field = 'stage' and resolution <> 'open'`,
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
    return here !== null && store.get('deal', id)?.attributes['stage'] === winner ? here : null;
  });
}

async function remoteDelete(store: Store, { one, did, arrives }: Stage): Promise<void> {
  const id = nth(store.ids('task'), 3);
  store.delete('task', id);
  did('crm', 'somebody deletes a task');
  await arrives('sql', `its row is gone; clarify_sync.tombstone keeps what it was`, () =>
    one(
      `select 1 from clarify_sync.tombstone where object = 'task' and id = $1
          and not exists (select from clarify.task where id = $1)`,
      [id],
    ),
  );
}

async function remoteTurn(store: Store, { one, until }: Ground, turn: number): Promise<string> {
  const id = anyOf(store.ids('person'));
  const title = `${anyOf(TITLES)} ${turn}`;
  store.update('person', id, { job_title: title });
  await until(() =>
    one('select 1 from clarify.person where id = $1 and job_title = $2', [id, title]),
  );
  return `Clarify → SQL   person ${id}: job_title = ${title}`;
}

async function localTurn(store: Store, { sql, until }: Ground, turn: number): Promise<string> {
  const id = anyOf(store.ids('deal'));
  const amount = 1_000 * (turn + 1);
  await sql.query('update clarify.deal set amount = $1 where id = $2', [amount, id]);
  await until(async () =>
    Number(store.get('deal', id)?.attributes['amount']) === amount ? true : null,
  );
  return `SQL → Clarify   deal ${id}: amount = ${amount}`;
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
