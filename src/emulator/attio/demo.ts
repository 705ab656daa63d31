import { demoScenes, nth, text } from '../kernel/demo-scenes.ts';
import type { DemoScript, Scene } from '../kernel/demo-script.ts';
import { type Fields, isObject } from '../kernel/fields.ts';
import type { Store } from './store.ts';

export const demoSizes = { companies: 150, people: 500, deals: 200, projects: 40 };

const JOB = { object: 'people', noun: 'person', field: 'job_title' };
const VALUE = { object: 'deals', noun: 'deal', field: 'value' };
const STAGE = { object: 'deals', noun: 'deal', field: 'stage' };

/** Edits of both sides, and that each arrives on the other. */
export function demoScript(store: Store): DemoScript {
  const scenes = demoScenes({
    title: 'Attio',
    schema: 'attio',
    ids: store.ids,
    update: (object, id, fields) => store.update(object, id, fields),
    valueOf: (object, id, field) => shown(valueOf(store, object, id, field)),
  });
  return {
    objects: ['companies', 'deals', 'people', 'projects'],
    exclude: [],
    calls: true,
    scenes: [
      scenes.remoteEdit(JOB),
      scenes.localEdit(VALUE),
      scenes.localBirth({
        title: 'A company and a person born in SQL get their ids from Attio',
        object: 'people',
        statement: `with home as (
             insert into attio.companies (name, domains)
             values ('Lighthouse Labs', '{lighthouse.example}') returning id)
           insert into attio.people (name, email_addresses, company)
           select '{"first_name": "Nora", "last_name": "Lind"}', array[$1], id from home
           returning id`,
        told: 'insert into attio.companies …, attio.people …',
        find: (email) => newcomer(store, email),
        linked: `company not like 'local:%'`,
      }),
      localLink(store),
      scenes.conflict(STAGE, { base: 'Lead', local: 'In Progress', remote: 'Lost' }),
      scenes.remoteDelete('projects', 'project', (id) => store.delete('projects', id)),
    ],
    turns: [scenes.remoteTurn(JOB), scenes.localTurn(VALUE, 1_000)],
    query: 'select id, name__full_name, job_title from attio.people limit 5;',
  };
}

function newcomer(store: Store, email: string): string | null {
  const found = store
    .ids('people')
    .find((id) => valueOf(store, 'people', id, 'email_addresses')['email_address'] === email);
  if (found === undefined) return null;
  const company = text(valueOf(store, 'people', found, 'company')['target_record_id']);
  return valueOf(store, 'companies', company, 'name')['value'] === 'Lighthouse Labs' ? found : null;
}

function localLink(store: Store): Scene {
  return {
    title: 'A link is a row, and a row is a link',
    async play({ sql, did, arrives }) {
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
    },
  };
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

/** Of a currency, a status or a text, what its column shows. */
function shown({ currency_value: amount, status, value }: Fields): unknown {
  if (amount !== undefined) return amount;
  return isObject(status) ? status['title'] : value;
}
