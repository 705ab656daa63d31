import { RemoteError } from '../domain/errors.ts';

/** How many records a page may hold: learned where a server refuses what another takes. */
export interface PageLimit {
  readonly size: number;
  /** Runs one list request with a limit the server takes: at most `asked`, at most `size`. */
  request<T>(asked: number, read: (limit: number) => Promise<T>): Promise<T>;
}

/** Larger ones are refused in one dialect; the smallest is the default page of the other. */
const SIZES = [500, 100, 25];

export function createPageLimit(): PageLimit {
  let size = 500;
  /** The largest limit this server has taken: a refusal below it is about something else. */
  let proven = 0;

  async function request<T>(asked: number, read: (limit: number) => Promise<T>): Promise<T> {
    const limit = Math.max(1, Math.min(asked, size));
    try {
      const result = await read(limit);
      proven = Math.max(proven, limit);
      return result;
    } catch (error) {
      const smaller = SIZES.find((candidate) => candidate < limit);
      // These records are long, others are not: the next page may be as large as ever.
      if (isTooLarge(error) && smaller !== undefined) return request(smaller, read);
      if (!isRefusal(error) || limit <= proven || smaller === undefined) throw error;
      return retrySmaller(smaller, { read, refusal: error });
    }
  }

  async function retrySmaller<T>(
    limit: number,
    { read, refusal }: { read: (limit: number) => Promise<T>; refusal: RemoteError },
  ): Promise<T> {
    try {
      const result = await read(limit);
      proven = Math.max(proven, limit);
      size = limit;
      return result;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const smaller = SIZES.find((candidate) => candidate < limit);
      // Refused at every size: it was not about the size.
      if (smaller === undefined) throw refusal;
      return retrySmaller(smaller, { read, refusal });
    }
  }

  return {
    get size() {
      return size;
    },
    request,
  };
}

function isTooLarge(error: unknown): boolean {
  return error instanceof RemoteError && error.code === 'remote-answer-too-large';
}

function isRefusal(error: unknown): error is RemoteError {
  return error instanceof RemoteError && (error.status === 400 || error.status === 422);
}
