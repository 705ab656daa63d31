import type { FastifyInstance, FastifyReply } from 'fastify';
import { readEntry } from '../db/outbox/review.ts';
import { SyncError } from '../domain/errors.ts';
import { parseId } from './action-routes.ts';
import type { FormTokens } from './form-token.ts';
import type { Notices } from './notices.ts';
import { ICON, SCRIPT, STYLE } from './page/assets.ts';
import { sidesTable } from './page/decisions.ts';
import { type Html, html } from './page/html.ts';
import { type Member, shell, signInPage, statusPage, unreadPage } from './page/page.ts';
import type { StatusSource } from './status-source.ts';
import type { FindView, WorkspaceView } from './workspace-view.ts';

interface PageDeps {
  readonly formTokens: FormTokens;
  readonly notices: Notices;
}

/** The page of one workspace, and what belongs to it. */
export function addPages(app: FastifyInstance, find: FindView, deps: PageDeps): void {
  app.get<{ Querystring: { notice?: string } }>('/', async (request, reply) => {
    const view = find(request);
    if (view === null) return await notFound(reply);
    const formToken = deps.formTokens.issue(request, reply);
    const asked = request.query.notice;
    const notice = typeof asked === 'string' ? deps.notices.take(asked) : null;
    const member = memberOf(view);
    try {
      const facts = notice === null ? await view.show() : await view.showNow();
      const page = statusPage({ ...facts, base: view.base, member, formToken, notice });
      return await sendPage(reply, page);
    } catch (error) {
      // Alone it has nothing else to show; in a fleet it can be told what became of it.
      if (member === null || !(error instanceof SyncError)) throw error;
      // One that never worked has no tables, and that is not the reason.
      const message = member.state.kind === 'broken' ? null : error.message;
      return await sendPage(reply.code(503), unreadPage(member, { message, nowMs: Date.now() }));
    }
  });
  app.get<{ Params: { id: string } }>('/outbox/:id', async (request, reply) => {
    const view = find(request);
    const id = parseId(request.params.id);
    const page = id === null || view === null ? null : await comparison(view, id);
    return page === null ? await notFound(reply) : await sendPage(reply, page);
  });
}

/** What every page needs, whatever it is about. */
export function addSharedPages(app: FastifyInstance): void {
  app.get<{ Querystring: { wrong?: string } }>('/sign-in', async (request, reply) => {
    return await sendPage(reply, signInPage(request.query.wrong !== undefined));
  });
  const assets = { 'page.css': STYLE, 'page.js': SCRIPT, 'icon.svg': ICON };
  const types = { css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml' };
  for (const [name, content] of Object.entries(assets)) {
    const type = Object.entries(types).find(([ending]) => name.endsWith(ending))?.[1];
    app.get(`/assets/${name}`, async (_request, reply) => {
      return await reply.type(`${type}; charset=utf-8`).send(content);
    });
  }
}

export async function sendPage(reply: FastifyReply, page: Html): Promise<unknown> {
  return await reply.type('text/html; charset=utf-8').send(page.toString());
}

async function notFound(reply: FastifyReply): Promise<unknown> {
  reply.callNotFound();
  return reply;
}

function memberOf({ member }: WorkspaceView): Member | null {
  return member && { name: member.name, crm: member.crm, state: member.state() };
}

/** One entry with what the CRM holds at this moment: asked for, since it costs a request. */
async function comparison({ source, base }: WorkspaceView, id: bigint): Promise<Html | null> {
  const entry = await readEntry(source.db, id);
  if (entry === null) return null;
  const { op, object, recordId, state } = entry;
  const title = `${op} ${object} ${recordId}`;
  let remote: Awaited<ReturnType<StatusSource['readRemote']>> = null;
  let problem: string | null = null;
  try {
    remote = await source.readRemote(object, recordId);
    if (remote === null) problem = `${source.crm} has no such record.`;
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    problem = `${source.crm} could not be asked: ${error.message}`;
  }
  return shell(
    title,
    html`<header><p><a href="${base}">Status</a></p><h1><span class="badge">${state}</span> ${op} ${object} <code><bdi>${recordId}</bdi></code></h1></header>
<main class="card">${problem !== null && html`<p class="bad">${problem}</p>`}${sidesTable(entry, source.crm, remote)}</main>`,
  );
}
