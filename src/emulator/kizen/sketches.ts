import type { Cardinality } from './field.ts';

/** A field as somebody would make it. */
export interface FieldSketch {
  readonly name: string;
  readonly type: string;
  readonly display?: string | undefined;
  readonly required?: boolean | undefined;
  readonly readOnly?: boolean | undefined;
  readonly hidden?: boolean | undefined;
  readonly nulls?: boolean | undefined;
  readonly empty?: boolean | undefined;
  readonly options?: readonly string[] | undefined;
  readonly currency?: string | undefined;
  readonly markdown?: boolean | undefined;
}

export interface ObjectSketch {
  readonly name: string;
  readonly singular: string;
  readonly plural: string;
  /** A pipeline has stages. */
  readonly stages?: readonly (readonly [
    name: string,
    status: 'open' | 'won' | 'lost' | 'disqualified',
    percentage: number,
  ])[];
  /** Beside those that every object has. */
  readonly fields: readonly FieldSketch[];
}

export const industries = ['Software', 'Logistics', 'Health', 'Energy'] as const;
export const channels = ['Referral', 'Web', 'Event'] as const;
export const interests = ['Newsletter', 'Events', 'Beta'] as const;
export const tags = ['vip', 'renewal', 'on hold'] as const;
export const phases = ['Planned', 'Running', 'Done'] as const;

const stages = [
  ['Lead', 'open', 10],
  ['Qualified', 'open', 30],
  ['Proposal', 'open', 60],
  ['Won', 'won', 100],
  ['Lost', 'lost', 0],
  ['Disqualified', 'disqualified', 0],
] as const;

const always = { required: true, nulls: false, empty: false } as const;

/** Default fields, first those of every object. */
export const everyObject: readonly FieldSketch[] = [
  { name: 'owner', type: 'team_selector' },
  { name: 'created', type: 'datetime', readOnly: true },
  { name: 'updated', type: 'datetime', readOnly: true },
  { name: 'display_name', type: 'text', readOnly: true },
];

export const allButContacts: readonly FieldSketch[] = [{ name: 'name', type: 'text', ...always }];

export const contactFields: readonly FieldSketch[] = [
  { name: 'first_name', type: 'text', nulls: false, empty: true },
  { name: 'last_name', type: 'text', nulls: false, empty: true },
  { name: 'full_name', type: 'text', readOnly: true },
  { name: 'email', type: 'email', nulls: true, empty: false },
  { name: 'email_status', type: 'dropdown', options: ['Subscribed', 'Unsubscribed', 'Bounced'] },
  { name: 'mobile_phone', type: 'phonenumber', nulls: false, empty: true },
  { name: 'business_phone', type: 'phonenumber', nulls: false, empty: true },
  { name: 'home_phone', type: 'phonenumber', nulls: false, empty: true },
  { name: 'titles', type: 'text' },
  { name: 'tags', type: 'dynamictags', options: tags },
  { name: 'birthday', type: 'date' },
  { name: 'timezone', type: 'timezone' },
];

export const pipelineFields: readonly FieldSketch[] = [
  { name: 'stage', type: 'selector', readOnly: true },
  { name: 'entity_value', type: 'money', currency: 'USD' },
  { name: 'estimated_close_date', type: 'date' },
  { name: 'actual_close_date', type: 'date' },
  { name: 'percentage_chance_to_close', type: 'decimal' },
  { name: 'reasons_lost', type: 'checkboxes', options: ['Price', 'Timing', 'Competitor'] },
];

const numbered = (most: number): string[] =>
  Array.from({ length: most }, (_, index) => String(index + 1));

/** Contacts first, which every business has. */
export const standardObjects: readonly ObjectSketch[] = [
  {
    name: 'client_client',
    singular: 'Contact',
    plural: 'Contacts',
    fields: [
      { name: 'job_title', type: 'text' },
      { name: 'interests', type: 'checkboxes', options: interests },
      { name: 'lead_score', type: 'integer' },
      { name: 'consent', type: 'yesnomaybe' },
      { name: 'last_visit', type: 'datetime' },
      { name: 'notes', type: 'longtext', markdown: true },
      { name: 'internal_code', type: 'text', hidden: true },
    ],
  },
  {
    name: 'companies',
    singular: 'Company',
    plural: 'Companies',
    fields: [
      { name: 'website', type: 'text', nulls: true, empty: false },
      { name: 'industry', type: 'dropdown', options: industries },
      { name: 'employees', type: 'integer' },
      { name: 'annual_revenue', type: 'money', currency: 'USD' },
      { name: 'satisfaction', type: 'rating', options: numbered(5) },
      { name: 'customer', type: 'checkbox' },
      { name: 'founded', type: 'date' },
      { name: 'phone', type: 'phonenumber', nulls: true, empty: false },
      { name: 'labels', type: 'dynamictags', options: tags },
    ],
  },
  {
    name: 'deals',
    singular: 'Deal',
    plural: 'Deals',
    stages,
    fields: [
      { name: 'channel', type: 'radio', options: channels },
      { name: 'discount', type: 'decimal' },
      { name: 'next_step', type: 'longtext' },
      { name: 'decision_at', type: 'datetime' },
      { name: 'documents', type: 'files' },
    ],
  },
  {
    name: 'projects',
    singular: 'Project',
    plural: 'Projects',
    fields: [
      { name: 'code', type: 'text', nulls: false, empty: true },
      { name: 'summary', type: 'longtext' },
      { name: 'priority', type: 'rating', options: numbered(10) },
      { name: 'active', type: 'checkbox' },
      { name: 'budget', type: 'money', currency: 'EUR' },
      { name: 'hours', type: 'decimal' },
      { name: 'seats', type: 'integer' },
      { name: 'starts_on', type: 'date' },
      { name: 'kickoff', type: 'datetime' },
      { name: 'region', type: 'choices', options: ['North', 'South', 'East', 'West'] },
      { name: 'size', type: 'selector', options: ['S', 'M', 'L'] },
      { name: 'phase', type: 'status', options: phases },
      { name: 'skills', type: 'checkboxes', options: ['Drilling', 'Wiring', 'Paint'] },
      { name: 'labels', type: 'dynamictags', options: tags },
      { name: 'approved', type: 'yesnomaybe' },
      { name: 'lead', type: 'team_selector' },
      { name: 'site_timezone', type: 'timezone' },
      { name: 'plans', type: 'files' },
      { name: 'support_email', type: 'email', nulls: true, empty: true },
      { name: 'scorecard', type: 'scorecard', readOnly: true },
    ],
  },
];

/** Both ends of each, and what it is to the first. */
export const standardRelations: readonly (readonly [
  one: readonly [object: string, field: string],
  other: readonly [object: string, field: string],
  cardinality: Cardinality,
])[] = [
  [['client_client', 'company'], ['companies', 'contacts'], 'many_to_one'],
  [['companies', 'parent_company'], ['companies', 'subsidiaries'], 'many_to_one'],
  [['companies', 'partners'], ['companies', 'partner_of'], 'many_to_many'],
  [['deals', 'company'], ['companies', 'deals'], 'many_to_one'],
  [['deals', 'contacts'], ['client_client', 'deals'], 'many_to_many'],
  [['projects', 'deal'], ['deals', 'project'], 'one_to_one'],
  [['projects', 'members'], ['client_client', 'projects'], 'many_to_many'],
];
