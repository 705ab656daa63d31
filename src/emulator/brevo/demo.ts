import { demoScenes } from '../kernel/demo-scenes.ts';
import type { DemoScript, Scene } from '../kernel/demo-script.ts';
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

const JOB = { object: 'contacts', noun: 'contact', field: 'JOB_TITLE' };
const AMOUNT = { object: 'deals', noun: 'deal', field: 'amount' };

/** Edits of both sides, and that each arrives on the other. */
export function demoScript(store: Store): DemoScript {
  const scenes = demoScenes({
    title: 'Brevo',
    schema: 'brevo',
    ids: store.ids,
    update: (object, id, fields) => store.update(object, id, fields),
    valueOf: (object, id, field) => attribute(store, object, id, field),
  });
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
      scenes.remoteEdit(JOB),
      scenes.localEdit(AMOUNT),
      scenes.localBirth({
        title: 'A company and a contact born in SQL get their ids from Brevo, and their link',
        object: 'contacts',
        statement: `with home as (
             insert into brevo.companies (name, domain)
             values ('Lighthouse Labs', 'lighthouse.example') returning id),
           nora as (
             insert into brevo.contacts (email, "FIRSTNAME", "LASTNAME") values ($1, 'Nora', 'Lind') returning id)
           insert into brevo.companies_contacts (companies_id, contacts_id)
           select home.id, nora.id from home, nora returning contacts_id as id`,
        told: 'insert into brevo.companies …, brevo.contacts …',
        find: (email) => newcomer(store, email),
      }),
      recordBirth(store),
      scenes.conflict(JOB, { base: 'Analyst', local: 'Buyer', remote: 'Founder' }),
      scenes.localDelete(
        'deals',
        { title: 'A deal deleted in SQL leaves Brevo', gone: 'the deal is gone' },
        (id) => store.get('deals', id) === null,
      ),
    ],
    turns: [scenes.remoteTurn(JOB), scenes.localTurn(AMOUNT, 1_000)],
    query: `select id, email, "FIRSTNAME", "JOB_TITLE" from brevo.contacts limit 5;`,
  };
}

function newcomer(store: Store, email: string): string | null {
  const found = store.ids('contacts').find((id) => store.get('contacts', id)?.['email'] === email);
  const home = store
    .all('companies')
    .find(
      ({ attributes }) => isObject(attributes) && fieldOf(attributes, 'name') === 'Lighthouse Labs',
    );
  return found !== undefined && JSON.stringify(home?.['linkedContactsIds']) === `[${found}]`
    ? found
    : null;
}

function recordBirth(store: Store): Scene {
  return {
    title: 'A vehicle born in SQL is the work of a job, and seen in the list it is read from',
    async play({ sql, one, did, arrives }) {
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
    },
  };
}

function attribute(store: Store, object: string, id: string, name: string): unknown {
  const attributes = store.get(object, id)?.['attributes'];
  return isObject(attributes) ? fieldOf(attributes, name) : null;
}
