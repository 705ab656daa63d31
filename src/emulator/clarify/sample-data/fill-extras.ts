import { seededRandom } from '../../kernel/random.ts';
import type { Resource } from '../extras.ts';
import type { Workspace } from '../workspace.ts';

/** The one campaign of the sample workspace: nothing in the API lists them. */
export const SAMPLE_CAMPAIGN = '6f1d2c84-0b7e-4c3a-9a51-2f6b8d40c7e1';

/** Two lists, two workflows and a campaign over the sample records. */
export function fillExtras(workspace: Workspace, seed: string, endMs: number): void {
  const { extras, objects } = workspace;
  const random = seededRandom(`${seed} extras`);
  const newId = (): string => workspace.newId(random, 'list');
  const companies = [...(objects.get('company')?.records.keys() ?? [])];
  const people = [...(objects.get('person')?.records.keys() ?? [])];
  extras.lists.push(
    {
      id: newId(),
      object: 'company',
      title: 'Key accounts',
      createdMs: endMs,
      members: { type: 'static', ids: new Set(companies.slice(0, 10)) },
    },
    {
      id: newId(),
      object: 'deal',
      title: 'In negotiation',
      createdMs: endMs,
      members: { type: 'dynamic', field: 'stage', value: 'Negotiation' },
    },
  );
  for (const [title, type] of [
    ['Welcome new people', 'record'],
    ['Weekly digest', 'schedule'],
  ] as const) {
    extras.workflows.push({ id: newId(), fields: { title, type, status: 'active' } });
  }
  const recipients = people.slice(0, 20).map((person, index): Resource => {
    const opened = index % 2 === 0;
    const clicked = index % 4 === 0;
    const fields = { person_id: person, opened, clicked, replied: index % 8 === 0 };
    return { id: newId(), fields };
  });
  extras.campaigns.set(SAMPLE_CAMPAIGN, recipients);
}
