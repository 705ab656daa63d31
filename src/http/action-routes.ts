import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SyncError } from '../domain/errors.ts';
import type { FormTokens } from './form-token.ts';
import type { Notices } from './notices.ts';
import type { Actions, StatusSource } from './status-source.ts';

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
  source: StatusSource,
  { formTokens, notices }: { readonly formTokens: FormTokens; readonly notices: Notices },
): void {
  const back = async (reply: FastifyReply, text: string, good: boolean) =>
    await reply.redirect(`/?notice=${notices.add({ text, good })}#notice`, 303);

  async function answer(
    request: FastifyRequest,
    reply: FastifyReply,
    work: (form: URLSearchParams) => Promise<string>,
  ) {
    const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
    // The guard let it in by its token, which no other site can make a browser send.
    const byBearer = request.headers.authorization !== undefined;
    if (!byBearer && !formTokens.isGenuine(request, form.get('form'))) {
      return await back(
        reply,
        'That page was out of date, and nothing was done: try again.',
        false,
      );
    }
    try {
      return await back(reply, await work(form), true);
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      const hint = error.hint === undefined ? '' : `: ${error.hint}`;
      return await back(reply, `Nothing was done. ${error.message}${hint}`, false);
    }
  }

  for (const [path, { about, act }] of Object.entries(ACTIONS)) {
    app.post<{ Params: { id: string } }>(path, async (request, reply) => {
      const id = parseId(request.params.id);
      if (id === null) {
        reply.callNotFound();
        return reply;
      }
      return await answer(request, reply, async () => {
        return `${about} ${id}: ${await act(source.actions, id)}`;
      });
    });
  }
  app.post('/outbox/approve', async (request, reply) => {
    return await answer(request, reply, async (form) => {
      const ids = form.getAll('id').flatMap((text) => parseId(text) ?? []);
      for (const id of ids) await source.actions.approve(id);
      return `${ids.length} deletes approved`;
    });
  });
}

/** A bigint that Postgres can hold. */
export function parseId(text: string): bigint | null {
  return /^[1-9]\d{0,17}$/.test(text) ? BigInt(text) : null;
}
