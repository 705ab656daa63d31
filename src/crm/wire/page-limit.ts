import { RemoteError } from '../../domain/errors.ts';

/** How many records a page may hold: learned where a server refuses what another takes. */
export interface PageLimit {
  readonly size: number;
  /** Runs one list request with a limit the server takes: at most `asked`, at most `size`. */
  request<T>(asked: number, read: (limit: number) => Promise<T>): Promise<T>;
}

/** `sizes`: those to try, from the largest on. */
export function createPageLimit(sizes: readonly [number, ...number[]]): PageLimit {
  let [size] = sizes;
  /** The largest limit this server has taken: a refusal below it is about something else. */
  let proven = 0;
  /** Refused at every size, the last time: as long as that stands one request finds out. */
  let isRefused = false;

  async function request<T>(asked: number, read: (limit: number) => Promise<T>): Promise<T> {
    const most = isRefused ? (sizes.at(-1) ?? size) : size;
    const limit = Math.max(1, Math.min(asked, most));
    try {
      const result = await read(limit);
      proven = Math.max(proven, limit);
      isRefused = false;
      return result;
    } catch (error) {
      const smaller = sizes.find((candidate) => candidate < limit);
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
      const smaller = sizes.find((candidate) => candidate < limit);
      // Refused at every size: it was not about the size.
      isRefused = smaller === undefined;
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
  if (!(error instanceof RemoteError) || error.disposition === 'retry') return false;
  return error.status === 400 || error.status === 422;
}
