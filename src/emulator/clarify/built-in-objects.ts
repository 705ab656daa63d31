import type { FieldDefinition, FieldForm, ObjectDefinition } from './object-definition.ts';
import type { Dialect } from './switches.ts';

const field = (
  name: string,
  form: FieldForm,
  more?: Partial<FieldDefinition>,
): FieldDefinition => ({
  name,
  form,
  ...more,
});
const plain = (
  name: string,
  kind: 'text' | 'number' | 'integer' | 'boolean' | 'date' | 'datetime',
): FieldDefinition => field(name, { kind });
const toOne = (name: string, entity: string, back: string): FieldDefinition =>
  field(name, { kind: 'link', relation: 'many-to-one', entity, field: back });
const toMany = (name: string, entity: string, back: string): FieldDefinition =>
  field(name, { kind: 'link', relation: 'one-to-many', entity, field: back });
const manyToMany = (name: string, entity: string, back: string): FieldDefinition =>
  field(name, { kind: 'link', relation: 'many-to-many', entity, field: back });
const title: Partial<FieldDefinition> = { primary: true };
const uniqueTitle: Partial<FieldDefinition> = { primary: true, unique: true };

export const lifecycles = ['Lead', 'Qualified', 'Customer', 'Churned'] as const;
export const interests = [
  'Analytics',
  'Automation',
  'Reporting',
  'Integrations',
  'Security',
] as const;
export const industries = [
  'Software',
  'Logistics',
  'Retail',
  'Health',
  'Energy',
  'Finance',
] as const;
export const stages = ['Discovery', 'Proposal', 'Negotiation', 'Won', 'Lost'] as const;
export const taskStates = ['To Do', 'In Progress', 'Done', 'Canceled'] as const;
export const priorities = ['Urgent', 'High', 'Medium', 'Low'] as const;
export const projectStates = ['Planned', 'Running', 'On hold', 'Finished'] as const;
export const skills = ['Design', 'Migration', 'Training', 'Support', 'Audit'] as const;

/** The objects a workspace starts with; `classic` people have a plain name and no company link. */
export function builtInObjects(dialect: Dialect): ObjectDefinition[] {
  const classic = dialect === 'classic';
  const person: FieldDefinition[] = [
    classic
      ? field('name', { kind: 'text' }, title)
      : field('name', { kind: 'value', of: 'personName' }, title),
    field('email_addresses', { kind: 'collection', of: 'emailAddresses' }, { unique: true }),
    field('phone_numbers', { kind: 'collection', of: 'phoneNumbers' }),
    plain(classic ? 'title' : 'job_title', 'text'),
    classic ? plain('company_name', 'text') : toOne('company_id', 'company', 'people'),
    plain('birthday', 'date'),
    plain('linkedin_url', 'text'),
    plain('last_contacted_at', 'datetime'),
    plain('do_not_contact', 'boolean'),
    field('lifecycle', { kind: 'select', options: lifecycles }),
    field('interests', { kind: 'multi-select', options: interests }),
    plain('lead_score', 'integer'),
    manyToMany('deals', 'deal', 'people'),
    manyToMany('projects', 'c_project', 'people'),
    manyToMany('meetings', 'meeting', 'people'),
    toMany('tasks', 'task', 'person_id'),
    toMany('messages', 'message', 'person_id'),
  ];
  const company: FieldDefinition[] = [
    field('name', { kind: 'text' }, title),
    field('domains', { kind: 'collection', of: 'domains' }, { unique: true }),
    field('address', { kind: 'value', of: 'address' }),
    plain('employee_count', 'integer'),
    field('industry', { kind: 'select', options: industries }),
    plain('annual_revenue', 'number'),
    field('description', { kind: 'value', of: 'richText' }),
    toOne('parent_id', 'company', 'subsidiaries'),
    toMany('subsidiaries', 'company', 'parent_id'),
    ...(classic ? [] : [toMany('people', 'person', 'company_id')]),
    toMany('deals', 'deal', 'company_id'),
    toMany('projects', 'c_project', 'company_id'),
    toMany('tasks', 'task', 'company_id'),
  ];
  const deal: FieldDefinition[] = [
    field('name', { kind: 'text' }, uniqueTitle),
    plain('amount', 'number'),
    field('stage', { kind: 'select', options: stages }),
    field('close_date', { kind: 'date', declaredBy: 'type' }),
    plain('probability', 'number'),
    plain('owner_id', 'text'),
    toOne('company_id', 'company', 'deals'),
    manyToMany('people', 'person', 'deals'),
    toMany('tasks', 'task', 'deal_id'),
  ];
  const task: FieldDefinition[] = [
    field('title', { kind: 'text' }, title),
    field('description', { kind: 'value', of: 'richText' }),
    field('status', { kind: 'select', options: taskStates }),
    field('priority', { kind: 'select', options: priorities }),
    plain('due_date', 'date'),
    plain('completed_at', 'datetime'),
    plain('assignee_id', 'text'),
    toOne('person_id', 'person', 'tasks'),
    toOne('company_id', 'company', 'tasks'),
    toOne('deal_id', 'deal', 'tasks'),
    toOne('meeting_id', 'meeting', 'tasks'),
  ];
  const meeting: FieldDefinition[] = [
    field('title', { kind: 'text' }, title),
    plain('start', 'datetime'),
    plain('end', 'datetime'),
    plain('all_day', 'boolean'),
    plain('visibility', 'text'),
    plain('location', 'text'),
    plain('event_id', 'text'),
    plain('ical_uid', 'text'),
    plain('summary', 'text'),
    plain('notes', 'text'),
    plain('recording_enabled', 'boolean'),
    field('participants', { kind: 'collection', of: 'participants' }),
    manyToMany('people', 'person', 'meetings'),
    toMany('tasks', 'task', 'meeting_id'),
    toMany('meeting_recordings', 'meeting_recording', 'meeting_id'),
  ];
  const recording: FieldDefinition[] = [
    toOne('meeting_id', 'meeting', 'meeting_recordings'),
    plain('recording_source', 'text'),
    plain('status', 'text'),
    plain('start_at', 'datetime'),
    plain('end_at', 'datetime'),
  ];
  const message: FieldDefinition[] = [
    field('subject', { kind: 'text' }, title),
    field('direction', { kind: 'select', options: ['Inbound', 'Outbound'] }),
    plain('snippet', 'text'),
    plain('sent_at', 'datetime'),
    toOne('person_id', 'person', 'messages'),
  ];
  const project: FieldDefinition[] = [
    field('name', { kind: 'text' }, title),
    field('code', { kind: 'text' }, { unique: true }),
    field('status', { kind: 'select', options: projectStates }),
    field('skills', { kind: 'multi-select', options: skills }),
    field('labels', { kind: 'array' }),
    plain('budget', 'number'),
    plain('order', 'integer'),
    plain('kickoff_at', 'datetime'),
    toOne('company_id', 'company', 'projects'),
    manyToMany('people', 'person', 'projects'),
  ];
  return [
    { object: 'person', singular: 'Person', plural: 'People', fields: person },
    { object: 'company', singular: 'Company', plural: 'Companies', fields: company },
    { object: 'deal', singular: 'Deal', plural: 'Deals', fields: deal },
    { object: 'task', singular: 'Task', plural: 'Tasks', fields: task },
    { object: 'meeting', singular: 'Meeting', plural: 'Meetings', fields: meeting },
    {
      object: 'meeting_recording',
      singular: 'Meeting recording',
      plural: 'Meeting recordings',
      fields: recording,
    },
    { object: 'message', singular: 'Message', plural: 'Messages', fields: message },
    { object: 'c_project', singular: 'Project', plural: 'Projects', fields: project },
  ];
}
