import { type DemoScript, type Ground, NotArrived, type Stage } from '../kernel/demo-script.ts';
import { fieldOf, isObject } from '../kernel/fields.ts';
import type { Store } from './store.ts';
import type { Switches } from './switches.ts';

export const demoSizes = { contacts: 300, companies: 80, deals: 120, vehicle: 120, trip: 40 };

/** A demo is for watching: nothing is asked of the hundred of the hour. */
export const demoSwitches: Partial<Switches> = {
  contactsPerSecond: 0,
  contactsPerHour: 0,
  othersPerHour: 0,
  jobMs: 400,
};

const TITLES = ['Head of Data', 'Account Executive', 'Buyer', 'Chief of Staff', 'Site Manager'];

/** Edits of both sides, and that each arrives on the other. */
export function demoScript(store: Store): DemoScript {
  return {
    objects: ['contacts', 'companies', 'deals', 'vehicle', 'trip'],
    settings: {
      vehicle: {
        fields: { plate: 'text', seats: 'number', price: 'number', colour: 'text' },
        links: { owner: 'contacts', seller: 'companies' },
        scan: '1s',
      },
      trip: { fields: { destination: 'text', distance: 'number' }, scan: '1s' },
    },
    exclude: [],
    scenes: [
      { title: 'An edit in Brevo arrives in SQL', play: (stage) => remoteEdit(store, stage) },
      { title: 'An edit in SQL arrives in Brevo', play: (stage) => localEdit(store, stage) },
      {
        title: 'A company and a contact born in SQL get their ids from Brevo, and their link',
        play: (stage) => localBirth(store, stage),
      },
      {
        title: 'A vehicle born in SQL is the work of a job, and seen in the list it is read from',
        play: (stage) => recordBirth(store, stage),
      },
      {
        title: 'Both sides edit one field: settled by policy, and on record',
        play: (stage) => conflict(store, stage),
      },
      {
        // The other way round takes two readings of everything: no call tells of deletions.
        title: 'A deal deleted in SQL leaves Brevo',
        play: (stage) => localDelete(store, stage),
      },
    ],
    turns: [
      (ground, turn) => remoteTurn(store, ground, turn),
      (ground, turn) => localTurn(store, ground, turn),
    ],
    query: `select id, email, "FIRSTNAME", "JOB_TITLE" from brevo.contacts limit 5;`,
  };
}

async function remoteEdit(store: Store, { one, did, arrives }: Stage): Promise<void> {
  const id = nth(store.ids('contacts'), 7);
  const title = 'Head of Data';
  store.update('contacts', id, { JOB_TITLE: title });
  did('crm', `somebody edits a contact: JOB_TITLE = ${title}`);
  await arrives(
    'sql',
    `select "JOB_TITLE" from brevo.contacts where id = '${id}'  →  ${title}`,
    () => one('select 1 from brevo.contacts where id = $1 and "JOB_TITLE" = $2', [id, title]),
  );
}

async function localEdit(store: Store, { sql, did, arrives }: Stage): Promise<void> {
  const id = nth(store.ids('deals'), 5);
  const statement = `update brevo.deals set amount = 125000.50 where id = '${id}'`;
  await sql.query(statement);
  did('sql', statement);
  await arrives('crm', `the deal's amount is 125000.50`, async () =>
    attribute(store, 'deals', id, 'amount') === 125000.5 ? true : null,
  );
}

async function localBirth(store: Store, { one, did, arrives }: Stage): Promise<void> {
  const email = 'nora@lighthouse.example';
  const born = await one(
    `with home as (
       insert into brevo.companies (name, domain)
       values ('Lighthouse Labs', 'lighthouse.example') returning id),
     nora as (
       insert into brevo.contacts (email, "FIRSTNAME", "LASTNAME") values ($1, 'Nora', 'Lind') returning id)
     insert into brevo.companies_contacts (companies_id, contacts_id)
     select home.id, nora.id from home, nora returning contacts_id as id`,
    [email],
  );
  if (born === null) throw new NotArrived();
  did('sql', `insert into brevo.companies …, brevo.contacts …  →  ${text(born['id'])}`);
  const id = await arrives('crm', 'both are there, and linked', async () => {
    const found = store
      .ids('contacts')
      .find((each) => store.get('contacts', each)?.['email'] === email);
    const home = store
      .all('companies')
      .find(
        ({ attributes }) =>
          isObject(attributes) && fieldOf(attributes, 'name') === 'Lighthouse Labs',
      );
    return found !== undefined && JSON.stringify(home?.['linkedContactsIds']) === `[${found}]`
      ? found
      : null;
  });
  await arrives('sql', `the row is ${id} now; current_id() knows the old id`, () =>
    one(
      `select 1 from brevo.contacts where id = $1 and brevo_sync.current_id('contacts', $2) = $1`,
      [id, born['id']],
    ),
  );
}

async function recordBirth(store: Store, { sql, one, did, arrives }: Stage): Promise<void> {
  const statement = `insert into brevo.vehicle (plate, seats) values ('KT-2026', 5)`;
  await sql.query(statement);
  did('sql', statement);
  const id = await arrives('crm', 'the job is done, and the vehicle is there', async () => {
    const ids = store.ids('vehicle');
    return ids.find((each) => attribute(store, 'vehicle', each, 'plate') === 'KT-2026') ?? null;
  });
  await arrives('sql', `it was read back: the row is ${id} now`, () =>
    one(`select 1 from brevo.vehicle where id = $1 and plate = 'KT-2026'`, [id]),
  );
}

/**
 * The edit in SQL is made first and committed last, so that the one in Brevo falls between: no
 * matter how fast the service is, both start from the same value.
 */
async function conflict(store: Store, stage: Stage): Promise<void> {
  const { sql, one, until, did, tells, arrives } = stage;
  const id = nth(store.ids('contacts'), 9);
  const statement = `update brevo.contacts set "JOB_TITLE" = 'Buyer' where id = '${id}'`;
  const shows = (value: string) =>
    one('select 1 from brevo.contacts where id = $1 and "JOB_TITLE" = $2', [id, value]);
  store.update('contacts', id, { JOB_TITLE: 'Analyst' });
  await until(() => shows('Analyst'));
  await sql.transaction(async (tx) => {
    await tx.query(statement);
    store.update('contacts', id, { JOB_TITLE: 'Founder' });
  });
  did('sql', statement);
  did('crm', `meanwhile somebody sets the same contact's JOB_TITLE = Founder`);
  const logged = await arrives('sql', 'select … from brevo_sync.conflict has it:', () =>
    one(
      `select base #>> '{}' as base, local #>> '{}' as local, remote #>> '{}' as remote, resolution
         from brevo_sync.conflict
        where object = 'contacts' and record_id = $1 and field = 'JOB_TITLE' and resolution <> 'open'`,
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
    return here !== null && attribute(store, 'contacts', id, 'JOB_TITLE') === winner ? here : null;
  });
}

async function localDelete(store: Store, { sql, one, did, arrives }: Stage): Promise<void> {
  const id = nth(store.ids('deals'), 3);
  const statement = `delete from brevo.deals where id = '${id}'`;
  await sql.query(statement);
  did('sql', statement);
  await arrives('crm', 'the deal is gone', async () =>
    store.get('deals', id) === null ? true : null,
  );
  await arrives('sql', 'brevo_sync.tombstone keeps what it was', () =>
    one(`select 1 from brevo_sync.tombstone where object = 'deals' and id = $1`, [id]),
  );
}

async function remoteTurn(store: Store, { one, until }: Ground, turn: number): Promise<string> {
  const id = anyOf(store.ids('contacts'));
  const title = `${anyOf(TITLES)} ${turn}`;
  store.update('contacts', id, { JOB_TITLE: title });
  await until(() =>
    one('select 1 from brevo.contacts where id = $1 and "JOB_TITLE" = $2', [id, title]),
  );
  return `Brevo → SQL   contact ${id}: JOB_TITLE = ${title}`;
}

async function localTurn(store: Store, { sql, until }: Ground, turn: number): Promise<string> {
  const id = anyOf(store.ids('deals'));
  const amount = 1_000 * (turn + 1);
  await sql.query('update brevo.deals set amount = $1 where id = $2', [amount, id]);
  await until(async () => (attribute(store, 'deals', id, 'amount') === amount ? true : null));
  return `SQL → Brevo   deal ${id}: amount = ${amount}`;
}

function attribute(store: Store, object: string, id: string, name: string): unknown {
  const attributes = store.get(object, id)?.['attributes'];
  return isObject(attributes) ? fieldOf(attributes, name) : null;
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
