import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SyncError } from '../domain/errors.ts';
import type { FormTokens } from './form-token.ts';
import type { Notices } from './notices.ts';
import type { Actions } from './status-source.ts';
import type { FindView } from './workspace-view.ts';

type Act = (actions: Actions, id: bigint) => Promise<string>;

/** What may be asked of an entry of the outbox, and of a conflict. */
const ACTIONS: Readonly<Record<string, { readonly about: string; readonly act: Act }>> = {
  '/outbox/:id/retry': { about: 'change', act: (actions, id) => actions.retry(id) },
  '/outbox/:id/discard': { about: 'change', act: (actions, id) => actions.discard(id) },
  '/outbox/:id/approve': { about: 'change', act: (actions, id) => actions.approve(id) },
  '/conflicts/:id/take-local': { about: 'conflict', act: (actions, id) => actions.takeLocal(id) },
  '/conflicts/:id/take-remote': { about: 'conflict', act: (actions, id) => actions.takeRemote(id) },
};

/** Every form on the page; each leads back to it, with a notice of what came of it. */
export function addActions(
  app: FastifyInstance,
  find: FindView,
  { formTokens, notices }: { readonly formTokens: FormTokens; readonly notices: Notices },
): void {
  async function answer(
    request: FastifyRequest,
    reply: FastifyReply,
    work: (actions: Actions, form: URLSearchParams) => Promise<string>,
  ) {
    const view = find(request);
    if (view === null) {
      reply.callNotFound();
      return reply;
    }
    const back = async (text: string, good: boolean) =>
      await reply.redirect(`${view.base}?notice=${notices.add({ text, good })}#notice`, 303);
    const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
    // The guard let it in by its token, which no other site can make a browser send.
    const byBearer = request.headers.authorization !== undefined;
    if (!byBearer && !formTokens.isGenuine(request, form.get('form'))) {
      return await back('That page was out of date, and nothing was done: try again.', false);
    }
    try {
      return await back(await work(view.source.actions, form), true);
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      const hint = error.hint === undefined ? '' : `: ${error.hint}`;
      return await back(`Nothing was done. ${error.message}${hint}`, false);
    }
  }

  for (const [path, { about, act }] of Object.entries(ACTIONS)) {
    app.post<{ Params: { id: string } }>(path, async (request, reply) => {
      const id = parseId(request.params.id);
      if (id === null) {
        reply.callNotFound();
        return reply;
      }
      return await answer(request, reply, async (actions) => {
        return `${about} ${id}: ${await act(actions, id)}`;
      });
    });
  }
  app.post('/outbox/approve', async (request, reply) => {
    return await answer(request, reply, async (actions, form) => {
      const ids = form.getAll('id').flatMap((text) => parseId(text) ?? []);
      for (const id of ids) await actions.approve(id);
      return `${ids.length} deletes approved`;
    });
  });
}

/** A bigint that Postgres can hold. */
export function parseId(text: string): bigint | null {
  return /^[1-9]\d{0,17}$/.test(text) ? BigInt(text) : null;
}
