import type { FastifyInstance, FastifyReply } from 'fastify';
import { readActivity, readMoves } from '../db/activity.ts';
import { readAsideCauses } from '../db/aside-review.ts';
import { readStaleViews } from '../db/dependants.ts';
import { listConflicts } from '../db/outbox/conflict-review.ts';
import { listEntries, readEntry } from '../db/outbox/review.ts';
import { SyncError } from '../domain/errors.ts';
import { parseId } from './action-routes.ts';
import type { FormTokens } from './form-token.ts';
import type { Notices } from './notices.ts';
import { ICON, SCRIPT, STYLE } from './page/assets.ts';
import { sidesTable } from './page/decisions.ts';
import { type Html, html } from './page/html.ts';
import { type PageFacts, shell, signInPage, statusPage } from './page/page.ts';
import { seriesStart, toSeries } from './page/series.ts';
import { remembered, type Snapshot } from './snapshot.ts';
import type { StatusSource } from './status-source.ts';

/** Six hours in stretches of five minutes. */
const BUCKET_SECONDS = 300;
const BUCKETS = 72;
const MOST_DECISIONS = 50;
const MOST_MOVES = 40;

interface PageDeps {
  readonly snapshot: Snapshot;
  readonly formTokens: FormTokens;
  readonly notices: Notices;
}

type Shown = Omit<PageFacts, 'formToken' | 'notice'>;

export function addPages(app: FastifyInstance, source: StatusSource, deps: PageDeps): void {
  const show = remembered(() => readFacts(source, deps.snapshot), { atLeastMs: 250, times: 4 });
  app.get<{ Querystring: { notice?: string } }>('/', async (request, reply) => {
    const formToken = deps.formTokens.issue(request, reply);
    const asked = request.query.notice;
    const notice = typeof asked === 'string' ? deps.notices.take(asked) : null;
    // Whoever has just decided something wants to see it done.
    const facts = notice === null ? await show() : await readFacts(source, deps.snapshot);
    return await sendPage(reply, statusPage({ ...facts, formToken, notice }));
  });
  app.get<{ Querystring: { wrong?: string } }>('/sign-in', async (request, reply) => {
    return await sendPage(reply, signInPage(request.query.wrong !== undefined));
  });
  app.get<{ Params: { id: string } }>('/outbox/:id', async (request, reply) => {
    const id = parseId(request.params.id);
    const page = id === null ? null : await comparison(source, id);
    if (page !== null) return await sendPage(reply, page);
    reply.callNotFound();
    return reply;
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

async function sendPage(reply: FastifyReply, page: Html): Promise<unknown> {
  return await reply.type('text/html; charset=utf-8').send(page.toString());
}

async function readFacts(source: StatusSource, snapshot: Snapshot): Promise<Shown> {
  const { db } = source;
  const nowMs = Date.now();
  const window = { nowSeconds: nowMs / 1_000, bucketSeconds: BUCKET_SECONDS, buckets: BUCKETS };
  const [objects, lease, activity, moves, open, parked, staleViews, aside] = await Promise.all([
    snapshot.standing(),
    snapshot.lease(),
    readActivity(db, { sinceSeconds: seriesStart(window), bucketSeconds: BUCKET_SECONDS }),
    readMoves(db, MOST_MOVES),
    listConflicts(db, { openOnly: true, limit: MOST_DECISIONS }),
    listEntries(db, { states: ['parked'], limit: MOST_DECISIONS }),
    readStaleViews(db),
    readAsideCauses(db),
  ]);
  return {
    staleViews: staleViews.map(({ what }) => what),
    workspace: source.workspace,
    version: source.version,
    access: source.access,
    push: source.push,
    leads: source.leads(),
    lease,
    objects,
    nextRun: (object) => source.nextRun(object),
    endpoints: source.endpoints(),
    series: toSeries(activity, window),
    bucketSeconds: BUCKET_SECONDS,
    moves,
    waiting: {
      conflicts: open.conflicts,
      openConflicts: open.total,
      parked: parked.entries,
      parkedTotal: parked.total,
    },
    aside: aside.slice(0, MOST_DECISIONS),
    nowMs,
  };
}

/** One entry with what Clarify holds at this moment: asked for, since it costs a request. */
async function comparison(source: StatusSource, id: bigint): Promise<Html | null> {
  const entry = await readEntry(source.db, id);
  if (entry === null) return null;
  const { op, object, recordId, state } = entry;
  const title = `${op} ${object} ${recordId}`;
  let remote: Awaited<ReturnType<StatusSource['readRemote']>> = null;
  let problem: string | null = null;
  try {
    remote = await source.readRemote(object, recordId);
    if (remote === null) problem = 'Clarify has no such record.';
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    problem = `Clarify could not be asked: ${error.message}`;
  }
  return shell(
    title,
    html`<header><p><a href="/">Status</a></p><h1><span class="badge">${state}</span> ${op} ${object} <code><bdi>${recordId}</bdi></code></h1></header>
<main class="card">${problem !== null && html`<p class="bad">${problem}</p>`}${sidesTable(entry, remote)}</main>`,
  );
}
