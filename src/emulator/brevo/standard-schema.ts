import type {
  ContactAttribute,
  ContactType,
  CrmAttribute,
  CrmType,
  Option,
  RecordAttribute,
  RecordType,
} from './attributes.ts';
import { type CustomObject, createObject, type Workspace } from './workspace.ts';

/** What is said of an attribute of contacts; a category has an enumeration and no type. */
export interface ContactSketch {
  readonly name: string;
  readonly type?: ContactType | undefined;
  /** Of a multiple choice. */
  readonly options?: readonly string[] | undefined;
  /** Value → label: a category. */
  readonly enumeration?: Readonly<Record<string, string>> | undefined;
  readonly category?: 'transactional' | 'calculated' | 'global' | undefined;
}

export interface CrmSketch {
  readonly name: string;
  readonly type: CrmType;
  readonly label?: string | undefined;
  /** Key → label. */
  readonly options?: Readonly<Record<string, string>> | undefined;
  readonly required?: boolean | undefined;
  readonly readOnly?: boolean | undefined;
}

export interface RecordSketch {
  readonly key: string;
  readonly type: RecordType;
  readonly label?: string | undefined;
  readonly options?: Readonly<Record<string, string>> | undefined;
}

export interface ObjectSketch {
  readonly type: string;
  readonly attributes: readonly RecordSketch[];
  /** Null for an object that has no primary attribute; the first where nothing is said. */
  readonly primary?: string | null | undefined;
  readonly associations?: readonly string[] | undefined;
}

export const tiers = { 1: 'Prospect', 2: 'Customer', 3: 'Key account' };
export const languages = { en: 'English', fr: 'French', de: 'German' };
export const interests = ['Cycling', 'Cooking', 'Music', 'Travel'];
export const industries = { energy: 'Energy', food: 'Food', health: 'Health', it: 'IT' };
export const colours = { red: 'Red', blue: 'Blue', silver: 'Silver' };
export const features = { sunroof: 'Sunroof', tow_bar: 'Tow bar', leather_seats: 'Leather seats' };
export const purposes = { business: 'Business', private: 'Private' };

const contactSketches: readonly ContactSketch[] = [
  { name: 'EXT_ID', type: 'text' },
  { name: 'FIRSTNAME', type: 'text' },
  { name: 'LASTNAME', type: 'text' },
  { name: 'SMS', type: 'text' },
  { name: 'WHATSAPP', type: 'text' },
  { name: 'LANDLINE_NUMBER', type: 'text' },
  { name: 'JOB_TITLE', type: 'text' },
  { name: 'BIRTHDAY', type: 'date' },
  { name: 'SCORE', type: 'float' },
  { name: 'NEWSLETTER', type: 'boolean' },
  { name: 'INTERESTS', type: 'multiple-choice', options: interests },
  { name: 'TIER', enumeration: tiers },
  { name: 'LANGUAGE', enumeration: languages },
  { name: 'ORDER_ID', type: 'id', category: 'transactional' },
  { name: 'ORDERS_SUM', type: 'float', category: 'calculated' },
  { name: 'ALL_ORDERS', type: 'float', category: 'global' },
];

const crmSketches: Readonly<Record<'companies' | 'deals', readonly CrmSketch[]>> = {
  companies: [
    { name: 'name', type: 'text', label: 'Name', required: true },
    { name: 'domain', type: 'text', label: 'Domain' },
    { name: 'owner', type: 'user', label: 'Owner' },
    { name: 'phone_number', type: 'number', label: 'Phone number' },
    { name: 'industry', type: 'single-select', label: 'Industry', options: industries },
    { name: 'revenue', type: 'number', label: 'Revenue' },
    { name: 'founded', type: 'date', label: 'Founded' },
    { name: 'partner', type: 'boolean', label: 'Partner' },
    { name: 'number_of_contacts', type: 'number', label: 'Contacts', readOnly: true },
    { name: 'created_at', type: 'date', label: 'Created at', readOnly: true },
    { name: 'last_updated_at', type: 'date', label: 'Last updated at', readOnly: true },
  ],
  deals: [
    { name: 'deal_name', type: 'text', label: 'Deal name', required: true },
    { name: 'deal_owner', type: 'user', label: 'Deal owner' },
    { name: 'amount', type: 'number', label: 'Amount' },
    { name: 'pipeline', type: 'text', label: 'Pipeline' },
    { name: 'deal_stage', type: 'text', label: 'Deal stage' },
    { name: 'close_date', type: 'date', label: 'Close date' },
    {
      name: 'topics',
      type: 'multi-choice',
      label: 'Topics',
      options: { renewal: 'Renewal', new: 'New business', service: 'Service' },
    },
    { name: 'number_of_contacts', type: 'number', label: 'Contacts', readOnly: true },
    { name: 'stage_updated_at', type: 'date', label: 'Stage updated at', readOnly: true },
    { name: 'created_at', type: 'date', label: 'Created at', readOnly: true },
    { name: 'last_updated_date', type: 'date', label: 'Last updated date', readOnly: true },
  ],
};

const objectSketches: readonly ObjectSketch[] = [
  {
    type: 'vehicle',
    associations: ['contact', 'company'],
    attributes: [
      { key: 'plate', type: 'text' },
      { key: 'seats', type: 'number' },
      { key: 'price', type: 'number' },
      { key: 'electric', type: 'boolean' },
      { key: 'registered_at', type: 'date' },
      { key: 'colour', type: 'category', options: colours },
      { key: 'features', type: 'multiple_choice', options: features },
      { key: 'dimensions', type: 'json' },
    ],
  },
  {
    type: 'trip',
    associations: ['vehicle', 'contact'],
    attributes: [
      { key: 'destination', type: 'text' },
      { key: 'distance', type: 'number' },
      { key: 'started_at', type: 'date' },
      { key: 'purposes', type: 'multiple_category', options: purposes },
    ],
  },
];

const stageNames = ['New', 'Qualified', 'Proposal', 'Won', 'Lost'];

/** What a workspace has before anybody has done anything in it, and what somebody has set up. */
export function addSchema(workspace: Workspace): void {
  const { contactAttributes, crm, pipelines } = workspace;
  contactAttributes.push(...contactSketches.map(contactAttribute));
  crm.companies.attributes.push(...crmSketches.companies.map(crmAttribute));
  crm.deals.attributes.push(...crmSketches.deals.map(crmAttribute));
  for (const name of ['Sales', 'Partners']) {
    const stages = stageNames.map((stage) => ({ id: workspace.newHexId(), name: stage }));
    pipelines.push({ id: workspace.newHexId(), name, stages });
  }
  for (const sketch of objectSketches) addObject(workspace, sketch);
}

export function addObject(workspace: Workspace, sketch: ObjectSketch): CustomObject {
  const { type, attributes, primary = attributes[0]?.key ?? null, associations = [] } = sketch;
  const object = createObject(workspace, {
    type,
    attributes: attributes.map(recordAttribute),
    primary,
    associations: new Set(associations),
  });
  workspace.objects.set(type, object);
  return object;
}

export function contactAttribute(sketch: ContactSketch): ContactAttribute {
  const { name, type = 'text', options = [], enumeration, category } = sketch;
  const isCategory = enumeration !== undefined;
  return {
    name,
    category: category ?? (isCategory ? 'category' : 'normal'),
    type: isCategory ? null : type,
    enumeration: Object.entries(enumeration ?? {}).map(([value, label]) => ({ value, label })),
    options: [...options],
    calculatedValue: category === 'calculated' ? `SUM[ORDER_PRICE,ORDER_ID]` : null,
  };
}

export function crmAttribute(sketch: CrmSketch): CrmAttribute {
  const { name, type, label = name, options, required = false, readOnly = false } = sketch;
  return { name, label, type, options: optionsOf(options), required, readOnly };
}

export function recordAttribute(sketch: RecordSketch): RecordAttribute {
  const { key, type, label = key, options } = sketch;
  return { key, label, type, options: optionsOf(options) };
}

function optionsOf(options: Readonly<Record<string, string>> = {}): Option[] {
  return Object.entries(options).map(([key, label]) => ({ key, label }));
}
