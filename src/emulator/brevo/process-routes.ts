import type { Answer } from '../kernel/answer.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { invalid, notFound } from './api-error.ts';
import { answer } from './contact-routes.ts';
import type { Job } from './jobs.ts';
import { pageLimit, sortDirection, wholeNumber } from './query.ts';
import type { Workspace } from './workspace.ts';

/** `GET /processes` */
export function listProcesses({ jobs, switches }: Workspace, { query }: ApiRequest): Answer {
  const offset = wholeNumber(query, 'offset', { initial: 0 });
  const limit = pageLimit(query, { initial: 10, max: 50 }, switches);
  const all = jobs.all();
  const sorted = sortDirection(query) === 'asc' ? all : all.toReversed();
  const processes = sorted.slice(offset, offset + limit).map((job) => renderJob(jobs, job));
  return answer({ processes, count: all.length });
}

/** `GET /processes/{id}` */
export function readProcess({ jobs }: Workspace, { param }: ApiRequest): Answer {
  if (!/^\d+$/.test(param('id'))) throw invalid('Invalid process id');
  const job = jobs.get(Number(param('id')));
  if (job === undefined) throw notFound();
  return answer(renderJob(jobs, job));
}

/** Nothing of what was done, nor when: only an import of contacts has reports. */
function renderJob(jobs: Workspace['jobs'], job: Job): Readonly<Record<string, unknown>> {
  const { id, name, ended, info } = job;
  const told = ended === 'completed' && info !== null ? { info: info() } : {};
  return { id, name, status: jobs.statusOf(job), ...told };
}
