import * as z from 'zod';
import type { CallOptions } from '../../domain/remote.ts';
import { BadAnswer, type Send } from '../wire/call.ts';
import { createFreshReads } from '../wire/fresh-reads.ts';

/** Which pipeline a stage is of. */
export interface Stages {
  /** Null where no pipeline has it. */
  pipelineOf(stage: string, options: CallOptions): Promise<string | null>;
}

const pipelines = z.array(
  z.looseObject({
    pipeline: z.string(),
    stages: z.array(z.looseObject({ id: z.string() })).nullish(),
  }),
);

export function createStages(send: Send): Stages {
  let known: ReadonlyMap<string, string> = new Map();
  const reads = createFreshReads<ReadonlyMap<string, string>>();

  async function read({ priority, signal }: CallOptions): Promise<ReadonlyMap<string, string>> {
    return await send(
      {
        endpoint: 'GET /crm/pipeline/details/all',
        method: 'GET',
        path: ['crm', 'pipeline', 'details', 'all'],
        repeatable: true,
        doubts: [402, 403, 404],
        read(body) {
          const parsed = pipelines.safeParse(body);
          if (!parsed.success) throw new BadAnswer('it is no list of pipelines');
          return new Map(
            parsed.data.flatMap(({ pipeline, stages }) =>
              (stages ?? []).map(({ id }) => [id, pipeline] as const),
            ),
          );
        },
      },
      { priority, signal },
    );
  }

  return {
    async pipelineOf(stage, options) {
      const found = known.get(stage);
      if (found !== undefined) return found;
      known = await reads.read('pipelines', options, () => read(options));
      return known.get(stage) ?? null;
    },
  };
}
