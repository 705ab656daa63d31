import { demoScenes, nth, text } from '../kernel/demo-scenes.ts';
import type { DemoScript, Scene, Stage } from '../kernel/demo-script.ts';
import { isObject } from '../kernel/fields.ts';
import type { SampleSizes } from './sample-data.ts';
import type { Store } from './store.ts';

export const demoSizes: SampleSizes = {
  companies: 80,
  client_client: 300,
  deals: 120,
  projects: 30,
};

const JOB = { object: 'client_client', noun: 'contact', field: 'job_title' };
const VALUE = { object: 'deals', noun: 'deal', field: 'entity_value', called: 'value' };
const CHANNEL = { object: 'deals', noun: 'deal', field: 'channel' };
const EMPLOYEES = { object: 'companies', noun: 'company', field: 'employees' };

/** Edits of both sides, and that each arrives on the other. */
export function demoScript(store: Store): DemoScript {
  const scenes = demoScenes({
    title: 'Kizen',
    schema: 'kizen',
    ids: store.ids,
    update: (object, id, fields) => store.update(object, id, fields),
    valueOf: (object, id, field) => shown(valueOf(store, object, id, field)),
  });
  return {
    objects: ['client_client', 'companies', 'deals', 'projects'],
    exclude: [],
    scenes: [
      scenes.remoteEdit(JOB),
      scenes.localEdit(VALUE),
      localMove(store),
      scenes.localBirth({
        title: 'A company and a contact born in SQL get their ids from Kizen',
        object: 'client_client',
        statement: `with home as (
             insert into kizen.companies (name, website)
             values ('Lighthouse Labs', 'https://lighthouse.example') returning id)
           insert into kizen.client_client (first_name, last_name, email, company)
           select 'Nora', 'Lind', $1, id from home
           returning id`,
        told: 'insert into kizen.companies …, kizen.client_client …',
        find: (email) => newcomer(store, email),
        linked: `company not like 'local:%'`,
      }),
      scenes.conflict(CHANNEL, { base: 'Referral', local: 'Event', remote: 'Web' }),
      scenes.localDelete(
        'projects',
        {
          title: 'A row deleted in SQL is archived in Kizen',
          gone: 'the project is in the archive',
        },
        (id) => store.get('projects', id) === null,
      ),
    ],
    turns: [scenes.remoteTurn(JOB), scenes.localTurn(EMPLOYEES, 10)],
    query: 'select id, full_name, job_title from kizen.client_client limit 5;',
  };
}

function localMove(store: Store): Scene {
  return {
    title: 'A deal moved in SQL is in its new stage in Kizen',
    async play({ sql, did, one, arrives }) {
      const id = await openDeal(store, one);
      const statement = `update kizen.deals set stage = 'Won' where id = '${id}'`;
      await sql.query(statement);
      did('sql', statement);
      await arrives('crm', 'the deal is won, by a move', async () =>
        shown(valueOf(store, 'deals', id, 'stage')) === 'Won' ? true : null,
      );
      await arrives('sql', 'and Kizen has set the day on which it closed', () =>
        one('select 1 from kizen.deals where id = $1 and actual_close_date is not null', [id]),
      );
    },
  };
}

async function openDeal(store: Store, one: Stage['one']): Promise<string> {
  const row = await one(
    `select id from kizen.deals where stage = 'Lead' and actual_close_date is null order by id limit 1`,
  );
  return text(row?.['id']) || nth(store.ids('deals'), 2);
}

function newcomer(store: Store, email: string): string | null {
  const found = store
    .ids('client_client')
    .find((each) => valueOf(store, 'client_client', each, 'email') === email);
  if (found === undefined) return null;
  const company = valueOf(store, 'client_client', found, 'company');
  return isObject(company) && company['name'] === 'Lighthouse Labs' ? found : null;
}

function valueOf(store: Store, object: string, id: string, name: string): unknown {
  const fields = store.get(object, id)?.['fields'];
  const field = isObject(fields) ? fields[store.fieldId(object, name)] : null;
  return isObject(field) ? field['value'] : null;
}

/** Of money or of an option, what its column shows. */
function shown(value: unknown): unknown {
  return isObject(value) ? (value['amount'] ?? value['name']) : value;
}
