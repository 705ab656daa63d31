import * as z from 'zod';
import type { Json } from '../../domain/json.ts';
import type { Answer } from '../kernel/answer.ts';
import type { Fields } from '../kernel/fields.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { invalid, missing, notFound } from './api-error.ts';
import { answer, NOTHING } from './contact-routes.ts';
import { crmFilter, crmOrder } from './crm-filter.ts';
import {
  deleteItem,
  endOf,
  exists,
  insertItem,
  moveLinked,
  namedItem,
  readCrmAttributes,
  renderItem,
  updateItem,
} from './crm-items.ts';
import { type End, ofType } from './links.ts';
import {
  attributesSchema,
  idsSchema,
  pageLimit,
  pageOf,
  readBody,
  sortDirection,
  wholeNumber,
} from './query.ts';
import type { CrmKind, CrmState, Pipeline, Workspace } from './workspace.ts';

type Handle = (workspace: Workspace, request: ApiRequest) => Answer;

/** What companies and deals call their own name. */
const NAME = { companies: 'name', deals: 'deal_name' } as const;
const CRM_DEFAULT_LIMIT = 50;

/** `GET /companies` by `page` from 1, `GET /crm/deals` by `offset`; neither with a count. */
export function listItems(kind: CrmKind): Handle {
  return (workspace, { query }) => {
    const { switches, crm } = workspace;
    const state = crm[kind];
    const limit = pageLimit(
      query,
      { initial: CRM_DEFAULT_LIMIT, max: switches.crmPageMax },
      switches,
    );
    const offset =
      kind === 'companies'
        ? (wholeNumber(query, 'page', { initial: 1, min: 1 }) - 1) * limit
        : wholeNumber(query, 'offset', { initial: 0 });
    const place = { offset, limit, direction: sortDirection(query) };
    const sorted = crmOrder(state, query);
    const { page } = pageOf(sorted, crmFilter(workspace, state, query), place);
    const items = page.map((each) => renderItem(workspace, state, each, 'shown'));
    return answer({ items }, { recordsRead: items.length });
  };
}

/** `GET /companies/{id}`, `GET /crm/deals/{id}` */
export function readItem(kind: CrmKind): Handle {
  return (workspace, { param }) => {
    const state = workspace.crm[kind];
    const item = namedItem(state, param('id'));
    const { lateGets } = workspace.switches;
    const shown = lateGets ? state.shelf.shown(item.id) : item;
    if (shown === undefined) throw notFound();
    const rendered = renderItem(workspace, state, shown, lateGets ? 'shown' : 'of');
    return answer(rendered, { recordsRead: 1 });
  };
}

const hexIds = z.array(z.string().regex(/^[0-9a-f]{24}$/));
const bodySchema = z.object({
  name: z.string().optional(),
  attributes: attributesSchema.optional(),
  // Said with a phone number; the number is kept as it was sent.
  countryCode: z.number().int().optional(),
  linkedContactsIds: idsSchema.optional(),
  linkedDealsIds: hexIds.optional(),
  linkedCompaniesIds: hexIds.optional(),
});

/** `POST /companies`, `POST /crm/deals`: nothing about them is unique. */
export function createItem(kind: CrmKind): Handle {
  return (workspace, request) => {
    const state = workspace.crm[kind];
    const { body, changes, links } = readWrite(workspace, state, request);
    if ((body.name ?? changes.get(NAME[kind]) ?? '') === '') throw missing('name');
    if (kind === 'deals') placeInPipeline(workspace, changes);
    const id = insertItem(workspace, state, changes, workspace.now());
    for (const [type, ids] of links) setLinks(workspace, endOf(state, id), type, ids);
    return answer({ id }, { status: 201, recordsWritten: 1 });
  };
}

/** `PATCH /companies/{id}` answers the company, `PATCH /crm/deals/{id}` nothing. */
export function changeItem(kind: CrmKind): Handle {
  return (workspace, request) => {
    const state = workspace.crm[kind];
    const item = namedItem(state, request.param('id'));
    const { changes, links } = readWrite(workspace, state, request);
    if (changes.get(NAME[kind]) === null) throw missing('name');
    const others = links.flatMap(([type, ids]) =>
      setLinks(workspace, endOf(state, item.id), type, ids),
    );
    if (changes.size > 0) updateItem(state, item, changes, workspace.now());
    if (others.length > 0) moveLinked(workspace, endOf(state, item.id), others);
    if (kind === 'deals') return NOTHING;
    const after = namedItem(state, item.id);
    return answer(renderItem(workspace, state, after), { recordsWritten: 1 });
  };
}

/** `DELETE …/{id}` */
export function removeItem(kind: CrmKind): Handle {
  return (workspace, { param }) => {
    deleteItem(workspace, workspace.crm[kind], param('id'));
    return NOTHING;
  };
}

const linkSchema = z.object({
  linkContactIds: idsSchema.default([]),
  unlinkContactIds: idsSchema.default([]),
  linkDealsIds: hexIds.default([]),
  unlinkDealsIds: hexIds.default([]),
  linkCompanyIds: hexIds.default([]),
  unlinkCompanyIds: hexIds.default([]),
});

/** `PATCH …/link-unlink/{id}`: single links. */
export function linkItem(kind: CrmKind): Handle {
  return (workspace, request) => {
    const state = workspace.crm[kind];
    const own = endOf(state, namedItem(state, request.param('id')).id);
    const body = readBody(linkSchema, request.body);
    const other = kind === 'companies' ? 'deal' : 'company';
    const [link, unlink] =
      kind === 'companies'
        ? [body.linkDealsIds, body.unlinkDealsIds]
        : [body.linkCompanyIds, body.unlinkCompanyIds];
    const added = [
      ...ends(workspace, 'contact', body.linkContactIds),
      ...ends(workspace, other, link),
    ].filter((end) => workspace.links.link(own, end));
    const removed = [
      ...body.unlinkContactIds.map((id) => ({ type: 'contact', id: String(id) })),
      ...unlink.map((id) => ({ type: other, id })),
    ].filter((end) => workspace.links.unlink(own, end));
    const changes = [...added, ...removed];
    if (changes.length > 0) moveLinked(workspace, own, changes);
    return NOTHING;
  };
}

interface Write {
  readonly body: z.infer<typeof bodySchema>;
  readonly changes: Map<string, Json>;
  /** What its links of a type are to be, all of them. */
  readonly links: [type: string, ids: readonly (string | number)[]][];
}

function readWrite(workspace: Workspace, state: CrmState, { body: sent }: ApiRequest): Write {
  const body = readBody(bodySchema, sent);
  const changes = readCrmAttributes(workspace, state, withoutLoneStage(workspace, state, body));
  if (body.name !== undefined) changes.set(NAME[state.kind], body.name === '' ? null : body.name);
  if (state.kind === 'deals') refuseForeignStage(workspace, changes);
  const [other, ids] =
    state.kind === 'companies'
      ? ['deal', body.linkedDealsIds]
      : ['company', body.linkedCompaniesIds];
  const links: Write['links'] = [];
  for (const [type, given] of [
    ['contact', body.linkedContactsIds],
    [other, ids],
  ] as const) {
    if (given === undefined) continue;
    ends(workspace, type, given);
    links.push([type, given]);
  }
  return { body, changes, links };
}

/** A stage means nothing without its pipeline, nor the reverse. */
function withoutLoneStage(
  { switches }: Workspace,
  { kind }: CrmState,
  { attributes = {} }: Write['body'],
): Fields {
  const { pipeline, deal_stage: stage, ...others } = attributes;
  if (kind !== 'deals' || (pipeline === undefined) === (stage === undefined)) return attributes;
  if (switches.stageAlone === 'refuse') throw missing('pipeline and deal_stage, both,');
  return others;
}

function refuseForeignStage({ pipelines }: Workspace, changes: ReadonlyMap<string, Json>): void {
  if (!changes.has('pipeline') && !changes.has('deal_stage')) return;
  const pipeline = pipelines.find(({ id }) => id === changes.get('pipeline'));
  if (pipeline === undefined) throw invalid('pipeline is not valid');
  if (!pipeline.stages.some(({ id }) => id === changes.get('deal_stage'))) {
    throw invalid('deal_stage is not valid');
  }
}

/** Every deal has a stage: the first where none is said. */
function placeInPipeline({ pipelines: [first] }: Workspace, changes: Map<string, Json>): void {
  if (changes.has('pipeline') || first === undefined) return;
  changes.set('pipeline', first.id);
  changes.set('deal_stage', first.stages[0]?.id ?? null);
}

/** What can be linked to. @throws ApiError 400 for what is not there, by the switch */
function ends(workspace: Workspace, type: string, ids: readonly (string | number)[]): End[] {
  const all = ids.map((id) => ({ type, id: String(id) }));
  const there = all.filter((end) => exists(workspace, end));
  if (there.length < all.length && workspace.switches.danglingLinks === 'refuse') {
    throw invalid(`A linked ${type} does not exist`);
  }
  return there;
}

/** Replaces all links of a type. @returns those that came or went */
function setLinks(
  workspace: Workspace,
  own: End,
  type: string,
  ids: readonly (string | number)[],
): End[] {
  const wanted = new Set(ids.map(String));
  const { links } = workspace;
  const gone = ofType(links.of(own), type).filter(
    ({ id }) => !wanted.has(id) && links.unlink(own, { type, id }),
  );
  const come = ends(workspace, type, ids).filter((end) => links.link(own, end));
  return [...gone, ...come];
}

/** `GET /crm/attributes/companies`, `GET /crm/attributes/deals` */
export function listCrmAttributes(kind: CrmKind): Handle {
  return ({ crm }) =>
    answer(
      crm[kind].attributes.map(({ name, label, type, options, required, readOnly }) => ({
        internalName: name,
        label,
        attributeTypeName: type,
        attributeOptions: options.map(({ key, label: value }) => ({ key, value })),
        isRequired: required,
        isValueReadonly: readOnly,
      })),
    );
}

/** `GET /crm/pipeline/details/all` */
export function listPipelines({ pipelines }: Workspace): Answer {
  return answer(pipelines.map(renderPipeline));
}

/** `GET /crm/pipeline/details/{id}` */
export function readPipeline({ pipelines }: Workspace, { param }: ApiRequest): Answer {
  const found = pipelines.find(({ id }) => id === param('id'));
  if (found === undefined) throw notFound();
  return answer([renderPipeline(found)]);
}

function renderPipeline({ id, name, stages }: Pipeline): Fields {
  const shown = stages.map((each) => ({ id: each.id, name: each.name }));
  return { pipeline: id, pipeline_name: name, stages: shown };
}
