import type { Handler, Route } from '../kernel/route.ts';
import { readAccount } from './account-route.ts';
import { listAssociated } from './associated-route.ts';
import { importContacts, updateBatch } from './contact-import.ts';
import {
  changeContact,
  createContact,
  listContactAttributes,
  listContacts,
  readContact,
  removeContact,
} from './contact-routes.ts';
import {
  changeItem,
  createItem,
  linkItem,
  listCrmAttributes,
  listItems,
  listPipelines,
  readItem,
  readPipeline,
  removeItem,
} from './crm-routes.ts';
import {
  changeList,
  changeMembers,
  createList,
  deleteList,
  listLists,
  listMembers,
  readList,
} from './list-routes.ts';
import { listRecords, ofObjects } from './object-routes.ts';
import { listProcesses, readProcess } from './process-routes.ts';
import { deleteRecords, upsertRecords } from './upsert-route.ts';
import {
  changeWebhook,
  createWebhook,
  deleteWebhook,
  listWebhooks,
  readWebhook,
} from './webhook-routes.ts';
import type { Workspace } from './workspace.ts';

const OBJECT = '/objects/{object}';
const LIST = '/contacts/lists/{id}';
const WEBHOOK = '/webhooks/{id}';

function route(method: string, pattern: string, handle: Handler<Workspace>): Route<Workspace> {
  return { method, pattern, handle };
}

function ofCrm(kind: 'companies' | 'deals', root: string): Route<Workspace>[] {
  return [
    route('GET', root, listItems(kind)),
    route('POST', root, createItem(kind)),
    route('PATCH', `${root}/link-unlink/{id}`, linkItem(kind)),
    route('GET', `${root}/{id}`, readItem(kind)),
    route('PATCH', `${root}/{id}`, changeItem(kind)),
    route('DELETE', `${root}/{id}`, removeItem(kind)),
  ];
}

/** The first that fits is taken: names before parameters. */
export const apiRoutes: readonly Route<Workspace>[] = [
  route('GET', '/account', readAccount),

  route('GET', '/contacts', listContacts),
  route('POST', '/contacts', createContact),
  route('GET', '/contacts/attributes', listContactAttributes),
  route('POST', '/contacts/batch', updateBatch),
  route('POST', '/contacts/import', importContacts),
  route('GET', '/contacts/folders/{folder}/lists', listLists),
  route('GET', '/contacts/lists', listLists),
  route('POST', '/contacts/lists', createList),
  route('GET', LIST, readList),
  route('PUT', LIST, changeList),
  route('DELETE', LIST, deleteList),
  route('GET', `${LIST}/contacts`, listMembers),
  route('POST', `${LIST}/contacts/add`, changeMembers(true)),
  route('POST', `${LIST}/contacts/remove`, changeMembers(false)),
  route('GET', '/contacts/{identifier}', readContact),
  route('PUT', '/contacts/{identifier}', changeContact),
  route('DELETE', '/contacts/{identifier}', removeContact),

  // Where older clients look for it.
  route('GET', '/companies/attributes', listCrmAttributes('companies')),
  route('GET', '/crm/attributes/companies', listCrmAttributes('companies')),
  route('GET', '/crm/attributes/deals', listCrmAttributes('deals')),
  route('GET', '/crm/pipeline/details/all', listPipelines),
  route('GET', '/crm/pipeline/details/{id}', readPipeline),
  ...ofCrm('companies', '/companies'),
  ...ofCrm('deals', '/crm/deals'),

  route('POST', `${OBJECT}/batch/upsert`, ofObjects(upsertRecords)),
  route('POST', `${OBJECT}/batch/delete`, ofObjects(deleteRecords)),
  route('GET', `${OBJECT}/records`, ofObjects(listRecords)),
  route('GET', `${OBJECT}/associated-records`, ofObjects(listAssociated)),

  route('GET', '/processes', listProcesses),
  route('GET', '/processes/{id}', readProcess),

  route('GET', '/webhooks', listWebhooks),
  route('POST', '/webhooks', createWebhook),
  route('GET', WEBHOOK, readWebhook),
  route('PUT', WEBHOOK, changeWebhook),
  route('DELETE', WEBHOOK, deleteWebhook),
];
