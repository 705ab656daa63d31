import type { Fields } from '../kernel/fields.ts';
import { type Attribute, SYSTEM, textOf } from './attribute.ts';
import { type Author, commitValues } from './commit.ts';
import { createRecord, dataOf } from './records.ts';
import { uniqueOwners } from './unique.ts';
import { findAttribute, type ObjectState, type StoredRecord, type Workspace } from './workspace.ts';

/**
 * What the server adds of its own, a moment after a write: a person with an address gets the company
 * of its domain, found or newly made; a company with a domain gets facts. Only what is empty is filled.
 */
export function enrichLater(workspace: Workspace, state: ObjectState, id: string): void {
  const { enriches, enrichmentMs } = workspace.switches;
  const enrich =
    state.slug === 'people' ? addCompany : state.slug === 'companies' ? addFacts : null;
  if (!enriches || enrich === null) return;
  workspace.later(workspace.now() + enrichmentMs, () => {
    const record = state.records.get(id);
    const author: Author = { actor: SYSTEM, at: workspace.stamp() };
    if (record !== undefined) enrich(workspace, state, record, author);
  });
}

function addCompany(
  workspace: Workspace,
  people: ObjectState,
  person: StoredRecord,
  author: Author,
): void {
  const companies = workspace.objects.find(({ slug }) => slug === 'companies');
  const company = findAttribute(people, 'company');
  const emails = findAttribute(people, 'email_addresses');
  const domains = companies === undefined ? null : findAttribute(companies, 'domains');
  if (companies === undefined || company === null || emails === null || domains === null) return;
  const [email] = dataOf(person, emails);
  if (email === undefined || dataOf(person, company).length > 0) return;
  const domain: Fields = {
    domain: email['email_domain'] ?? null,
    root_domain: email['email_root_domain'] ?? null,
  };
  const [known] = uniqueOwners(companies, domains, [domain]);
  const id =
    known ??
    createRecord(workspace, companies, { changes: new Map([[domains, [domain]]]), author });
  const target: Fields = { target_object: companies.id, target_record_id: id };
  commitValues(workspace, people, person.id, new Map([[company, [target]]]), author);
  if (known === undefined) enrichLater(workspace, companies, id);
}

function addFacts(
  workspace: Workspace,
  companies: ObjectState,
  company: StoredRecord,
  author: Author,
): void {
  const domains = findAttribute(companies, 'domains');
  const [domain] = domains === null ? [] : dataOf(company, domains);
  if (domain === undefined) return;
  const facts = new Map<Attribute, Fields[]>();
  const fill = (slug: string, data: (attribute: Attribute) => Fields | null): void => {
    const attribute = findAttribute(companies, slug);
    if (attribute === null || attribute.archived || dataOf(company, attribute).length > 0) return;
    const value = data(attribute);
    if (value !== null) facts.set(attribute, [value]);
  };
  fill('description', () => ({ value: `Known as ${textOf(domain, 'domain')}.` }));
  fill('logo_url', () => ({ value: `https://logo.example/${textOf(domain, 'domain')}.png` }));
  fill('categories', ({ options: [first] }) => (first === undefined ? null : { option: first.id }));
  commitValues(workspace, companies, company.id, facts, author);
}
