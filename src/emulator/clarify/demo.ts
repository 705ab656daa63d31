import { demoScenes, text } from '../kernel/demo-scenes.ts';
import type { DemoScript } from '../kernel/demo-script.ts';
import type { Store } from './store.ts';

export const demoSizes = { company: 150, person: 500, deal: 200 };

const JOB = { object: 'person', noun: 'person', field: 'job_title' };
const AMOUNT = { object: 'deal', noun: 'deal', field: 'amount' };
const STAGE = { object: 'deal', noun: 'deal', field: 'stage' };

/** Edits of both sides, and that each arrives on the other. */
export function demoScript(store: Store): DemoScript {
  const scenes = demoScenes({
    title: 'Clarify',
    schema: 'clarify',
    ids: store.ids,
    update: (object, id, fields) => store.update(object, id, fields),
    valueOf: (object, id, field) => {
      const value = store.get(object, id)?.attributes[field];
      // An amount is told as text.
      return field === AMOUNT.field ? Number(value) : value;
    },
  });
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
      scenes.remoteEdit(JOB),
      scenes.localEdit(AMOUNT),
      scenes.localBirth({
        title: 'A company and a person born in SQL get their ids from Clarify',
        object: 'person',
        statement: `with home as (
             insert into clarify.company (name, domains)
             values ('Lighthouse Labs', '{lighthouse.example}') returning id)
           insert into clarify.person (name, email_addresses, company_id)
           select '{"first_name": "Nora", "last_name": "Lind"}', array[$1], id from home
           returning id`,
        told: 'insert into clarify.company …, clarify.person …',
        find: (email) => newcomer(store, email),
        linked: `company_id not like 'local:%'`,
      }),
      scenes.conflict(STAGE, { base: 'Discovery', local: 'Proposal', remote: 'Won' }),
      scenes.remoteDelete('task', 'task', (id) => store.delete('task', id)),
    ],
    turns: [scenes.remoteTurn(JOB), scenes.localTurn(AMOUNT, 1_000)],
    query: 'select id, name__full_name, job_title from clarify.person limit 5;',
  };
}

function newcomer(store: Store, email: string): string | null {
  const found = store
    .all('person')
    .find(({ attributes }) =>
      JSON.stringify(attributes['email_addresses'] ?? null).includes(`"${email}"`),
    );
  const company = store.get('company', text(found?.attributes['company_id']));
  return found && company?.attributes['name'] === 'Lighthouse Labs' ? found.id : null;
}
