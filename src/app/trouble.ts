import type { Database } from '../db/connection/database.ts';
import {
  dropTroublesBut,
  endTrouble,
  noteTrouble,
  OF_NO_OBJECT,
  readTroubles,
  type Trouble,
  type TroublePart,
} from '../db/service/trouble.ts';
import { SyncError } from '../domain/errors.ts';

export interface FailedPart {
  readonly object: string;
  readonly part: TroublePart;
}

/**
 * Which objects do not work, and when each is tried again. Written to `{sync}.trouble` once per
 * failure and once at its end; while all is well, nothing is written.
 */
export interface Troubles {
  /** Until it may be tried again; 0 where it may now, or all is well. */
  waitMs(part: FailedPart): number;
  stands(part: FailedPart): boolean;
  /** Why; null where all is well. */
  codeOf(part: FailedPart): string | null;
  /**
   * Says so where that is news. @returns how long until it may be tried again.
   * @param quiet nothing is wrong with it, it is only not to be tried all the time: not told, and not
   *   put on record.
   */
  failed(part: FailedPart, error: unknown, quiet?: boolean): Promise<number>;
  /** Says so where it was in trouble. */
  worked(part: FailedPart): Promise<void>;
  /** Lets go of what concerns other objects than these. */
  keepOnly(objects: readonly string[]): Promise<void>;
}

interface Known {
  readonly code: string;
  readonly attempts: number;
  readonly dueMs: number;
}

interface TroublesDeps {
  readonly db: Database;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
    debug(fields: object, message: string): void;
  };
  readonly random?: () => number;
  readonly monotonicMs?: () => number;
}

const FIRST_PAUSE_MS = 1_000;
/** Whoever mends the cause waits this long for it to be noticed. */
const LONGEST_PAUSE_MS = 180_000;

const keyOf = ({ object, part }: FailedPart) => `${part} ${object}`;

/** With what is on record, so that a restart neither forgets a trouble nor says it twice. */
export async function createTroubles(deps: TroublesDeps): Promise<Troubles> {
  const { db, log, random = Math.random, monotonicMs = () => performance.now() } = deps;
  const known = new Map<string, Known & FailedPart>();
  for (const { object, part, code, attempts } of await readTroubles(db)) {
    // Tried at once: who restarts the service has often just mended the cause.
    known.set(keyOf({ object, part }), { object, part, code, attempts, dueMs: monotonicMs() });
  }

  function say(part: FailedPart, error: unknown, { code, message, hint }: Said): void {
    const fields = { ...part, code, ...(hint !== null && { hint }) };
    // A list that is read by pull, sweep and comparison is worth one line.
    const others = [...known.values()].filter(({ object }) => object === part.object);
    if (others.some((one) => one.part !== part.part && one.code === code)) {
      return log.debug(fields, `${part.part} of ${part.object} stopped as well`);
    }
    if (error instanceof SyncError) {
      return log.warn(
        fields,
        `${part.part} of ${part.object} stopped, and is tried again: ${message}`,
      );
    }
    log.error(
      { ...fields, err: error },
      `${part.part} of ${part.object} met a bug, and is tried again`,
    );
  }

  return {
    waitMs: (part) => Math.max(0, (known.get(keyOf(part))?.dueMs ?? 0) - monotonicMs()),
    stands: (part) => known.has(keyOf(part)),
    codeOf: (part) => known.get(keyOf(part))?.code ?? null,
    async failed(part, error, quiet = false) {
      const said = describeTrouble(error);
      const before = known.get(keyOf(part));
      const attempts = (before?.attempts ?? 0) + 1;
      const pauseMs = pauseAfter(attempts, random());
      const dueMs = monotonicMs() + pauseMs;
      known.set(keyOf(part), { ...part, code: said.code, attempts, dueMs });
      if (quiet) return pauseMs;
      if (before?.code !== said.code) say(part, error, said);
      await noteTrouble(db, { ...part, ...said }, pauseMs).catch((failure: unknown) =>
        log.debug({ err: failure }, 'trouble not noted'),
      );
      return pauseMs;
    },
    async worked(part) {
      if (!known.has(keyOf(part))) return;
      await endTrouble(db, part);
      known.delete(keyOf(part));
      log.info(part, `${part.part} of ${part.object} works again`);
    },
    async keepOnly(objects) {
      const gone = [...known.values()].filter(
        ({ object, part }) => !OF_NO_OBJECT.includes(part) && !objects.includes(object),
      );
      if (gone.length === 0) return;
      await dropTroublesBut(db, objects);
      for (const part of gone) known.delete(keyOf(part));
    },
  };
}

/** Doubles from a second; half of it by chance, so that objects that failed together part. */
function pauseAfter(attempts: number, random: number): number {
  const ceilingMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempts - 1, 16));
  return ceilingMs * (0.5 + random / 2);
}

type Said = Pick<Trouble, 'code' | 'message' | 'hint'>;

/** As it stands in `{sync}.trouble`, in the run log and in `last_error`. */
export function describeTrouble(error: unknown): Said {
  if (error instanceof SyncError) {
    const { code, message, hint } = error;
    return { code, message, hint: hint ?? null };
  }
  return {
    code: 'unexpected',
    message: 'a bug of clarify-sync',
    hint: 'The log has its stack: please report it.',
  };
}
