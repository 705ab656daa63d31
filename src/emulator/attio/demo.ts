import { type DemoScript, type Ground, NotArrived, type Stage } from '../kernel/demo-script.ts';
import { type Fields, isObject } from '../kernel/fields.ts';
import type { Store } from './store.ts';

export const demoSizes = { companies: 150, people: 500, deals: 200, projects: 40 };

const TITLES = ['Head of Data', 'Account Executive', 'Buyer', 'Chief of Staff', 'Site Manager'];

/** Edits of both sides, and that each arrives on the other. */
export function demoScript(store: Store): DemoScript {
  return {
    objects: ['companies', 'deals', 'people', 'projects'],
    exclude: [],
    calls: true,
    scenes: [
      { title: 'An edit in Attio arrives in SQL', play: (stage) => remoteEdit(store, stage) },
      { title: 'An edit in SQL arrives in Attio', play: (stage) => localEdit(store, stage) },
      {
        title: 'A company and a person born in SQL get their ids from Attio',
        play: (stage) => localBirth(store, stage),
      },
      {
        title: 'A link is a row, and a row is a link',
        play: (stage) => localLink(store, stage),
      },
      {
        title: 'Both sides edit one field: settled by policy, and on record',
        play: (stage) => conflict(store, stage),
      },
      {
        title: 'A record deleted in Attio leaves SQL',
        play: (stage) => remoteDelete(store, stage),
      },
    ],
    turns: [
      (ground, turn) => remoteTurn(store, ground, turn),
      (ground, turn) => localTurn(store, ground, turn),
    ],
    query: 'select id, name__full_name, job_title from attio.people limit 5;',
  };
}

async function remoteEdit(store: Store, { one, did, arrives }: Stage): Promise<void> {
  const id = nth(store.ids('people'), 7);
  const title = 'Head of Data';
  store.update('people', id, { job_title: title });
  did('crm', `somebody edits a person: job_title = ${title}`);
  await arrives('sql', `select job_title from attio.people where id = '${id}'  →  ${title}`, () =>
    one('select 1 from attio.people where id = $1 and job_title = $2', [id, title]),
  );
}

async function localEdit(store: Store, { sql, did, arrives }: Stage): Promise<void> {
  const id = nth(store.ids('deals'), 5);
  const statement = `update attio.deals set value = 125000.50 where id = '${id}'`;
  await sql.query(statement);
  did('sql', statement);
  await arrives('crm', `the deal's value is 125000.50`, async () =>
    valueOf(store, 'deals', id, 'value').currency_value === 125000.5 ? true : null,
  );
}

async function localBirth(store: Store, { one, did, arrives }: Stage): Promise<void> {
  const email = 'nora@lighthouse.example';
  const born = await one(
    `with home as (
       insert into attio.companies (name, domains)
       values ('Lighthouse Labs', '{lighthouse.example}') returning id)
     insert into attio.people (name, email_addresses, company)
     select '{"first_name": "Nora", "last_name": "Lind"}', array[$1], id from home
     returning id`,
    [email],
  );
  if (born === null) throw new NotArrived();
  did('sql', `insert into attio.companies …, attio.people …  →  ${text(born['id'])}`);
  const person = await arrives('crm', 'both are there, and linked', async () => {
    const found = store
      .ids('people')
      .find((id) => valueOf(store, 'people', id, 'email_addresses').email_address === email);
    if (found === undefined) return null;
    const company = text(valueOf(store, 'people', found, 'company').target_record_id);
    return valueOf(store, 'companies', company, 'name').value === 'Lighthouse Labs' ? found : null;
  });
  await arrives('sql', `the row is ${person} now; current_id() knows the old id`, () =>
    one(
      `select 1 from attio.people where id = $1 and company not like 'local:%'
          and attio_sync.current_id('people', $2) = $1`,
      [person, born['id']],
    ),
  );
}

async function localLink(store: Store, { sql, did, arrives }: Stage): Promise<void> {
  const [deal, person] = [nth(store.ids('deals'), 12), nth(store.ids('people'), 40)];
  await sql.query(
    'insert into attio.deals_associated_people (deals_id, people_id) values ($1, $2) on conflict do nothing',
    [deal, person],
  );
  did('sql', `insert into attio.deals_associated_people values ('${deal}', '${person}')`);
  await arrives('crm', 'the deal shows the person, and the person the deal', async () => {
    const isThere = valuesOf(store, 'people', person, 'associated_deals').some(
      ({ target_record_id: id }) => id === deal,
    );
    return isThere ? true : null;
  });
}

/**
 * The edit in SQL is made first and committed last, so that the one in Attio falls between: no
 * matter how fast the service is, both start from the same value.
 */
async function conflict(store: Store, stage: Stage): Promise<void> {
  const { sql, one, until, did, tells, arrives } = stage;
  const id = nth(store.ids('deals'), 9);
  const statement = `update attio.deals set stage = 'In Progress' where id = '${id}'`;
  const shows = (value: string) =>
    one('select 1 from attio.deals where id = $1 and stage = $2', [id, value]);
  store.update('deals', id, { stage: 'Lead' });
  await until(() => shows('Lead'));
  await sql.transaction(async (tx) => {
    await tx.query(statement);
    store.update('deals', id, { stage: 'Lost' });
  });
  did('sql', statement);
  did('crm', `meanwhile somebody sets the same deal's stage = Lost`);
  const logged = await arrives('sql', 'select … from attio_sync.conflict has it:', () =>
    one(
      `select base #>> '{}' as base, local #>> '{}' as local, remote #>> '{}' as remote, resolution
         from attio_sync.conflict
        where object = 'deals' and record_id = $1 and field = 'stage' and resolution <> 'open'`,
      [id],
    ),
  );
  const [base, local, remote, resolution] = ['base', 'local', 'remote', 'resolution'].map((name) =>
    text(logged[name]),
  );
  tells('sql', `base ${base}, local ${local}, remote ${remote}: the newer one wins, ${resolution}`);
  const winner = (resolution === 'local' ? local : remote) ?? '';
  await arrives('sql', `both sides say ${winner}`, async () => {
    const here = await shows(winner);
    const { status } = valueOf(store, 'deals', id, 'stage');
    return here !== null && isObject(status) && status['title'] === winner ? here : null;
  });
}

async function remoteDelete(store: Store, { one, did, arrives }: Stage): Promise<void> {
  const id = nth(store.ids('projects'), 3);
  store.delete('projects', id);
  did('crm', 'somebody deletes a project');
  await arrives('sql', `its row is gone; attio_sync.tombstone keeps what it was`, () =>
    one(
      `select 1 from attio_sync.tombstone where object = 'projects' and id = $1
          and not exists (select from attio.projects where id = $1)`,
      [id],
    ),
  );
}

async function remoteTurn(store: Store, { one, until }: Ground, turn: number): Promise<string> {
  const id = anyOf(store.ids('people'));
  const title = `${anyOf(TITLES)} ${turn}`;
  store.update('people', id, { job_title: title });
  await until(() =>
    one('select 1 from attio.people where id = $1 and job_title = $2', [id, title]),
  );
  return `Attio → SQL   person ${id}: job_title = ${title}`;
}

async function localTurn(store: Store, { sql, until }: Ground, turn: number): Promise<string> {
  const id = anyOf(store.ids('deals'));
  const value = 1_000 * (turn + 1);
  await sql.query('update attio.deals set value = $1 where id = $2', [value, id]);
  await until(async () =>
    valueOf(store, 'deals', id, 'value').currency_value === value ? true : null,
  );
  return `SQL → Attio   deal ${id}: value = ${value}`;
}

function valuesOf(store: Store, object: string, id: string, attribute: string): readonly Fields[] {
  const values = store.get(object, id)?.['values'];
  const list = isObject(values) ? values[attribute] : undefined;
  const items: readonly unknown[] = Array.isArray(list) ? list : [];
  return items.filter(isObject);
}

/** The first value of an attribute; nothing where it is empty. */
function valueOf(store: Store, object: string, id: string, attribute: string): Fields {
  return valuesOf(store, object, id, attribute)[0] ?? {};
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
