import type { CallOptions } from '../../domain/remote.ts';
import { isUnknownOption } from './values.ts';

/**
 * Writes a record, and once more with attributes read anew where it holds an option that nobody here has
 * heard of: Brevo would have passed over it in silence, so that nothing has gone out.
 */
export type InNewestOptions = <T>(options: CallOptions, write: () => Promise<T>) => Promise<T>;

export function createInNewestOptions(
  readAnew: (options: CallOptions) => Promise<void>,
): InNewestOptions {
  return async (options, write) => {
    try {
      return await write();
    } catch (error) {
      if (!isUnknownOption(error)) throw error;
    }
    await readAnew(options);
    return await write();
  };
}
