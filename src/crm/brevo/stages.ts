import * as z from 'zod';
import type { CallOptions } from '../../domain/remote.ts';
import { BadAnswer, type Send } from '../wire/call.ts';

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

/** A stage that is not known is looked for again, but not for every deal. */
const AGAIN_MS = 300_000;

export function createStages(send: Send, nowMs = () => performance.now()): Stages {
  let known: ReadonlyMap<string, string> = new Map();
  let readAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | null = null;

  async function read({ priority, signal }: CallOptions): Promise<void> {
    known = await send(
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
    readAtMs = nowMs();
  }

  return {
    async pipelineOf(stage, options) {
      const found = known.get(stage);
      if (found !== undefined) return found;
      if (nowMs() - readAtMs > AGAIN_MS) {
        reading ??= read(options).finally(() => {
          reading = null;
        });
        await reading;
      }
      return known.get(stage) ?? null;
    },
  };
}
