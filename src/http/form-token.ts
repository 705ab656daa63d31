import { createHmac, randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { readCookie, writeCookie } from './cookies.ts';
import { equalSecrets } from './guard.ts';

/**
 * Proof that a form was on a page this process gave to this very browser: a cookie no other site
 * can read, and in the form a signature over it that no other site can make.
 */
export interface FormTokens {
  /** The token for a page; gives the browser its cookie where it has none. */
  issue(request: FastifyRequest, reply: FastifyReply): string;
  isGenuine(request: FastifyRequest, given: string | null): boolean;
}

const COOKIE = 'clarify_sync_form';

/** Processes with the same token know each other's forms: one before them may send a browser to any. */
export function createFormTokens(token: string | null): FormTokens {
  const key =
    token === null ? randomBytes(32) : createHmac('sha256', token).update('form').digest();
  const sign = (seed: string) => createHmac('sha256', key).update(seed).digest('hex');
  const seedOf = ({ headers }: FastifyRequest) => {
    const seed = readCookie(headers.cookie, COOKIE);
    return seed !== null && /^[0-9a-f]{32}$/.test(seed) ? seed : null;
  };
  return {
    issue(request, reply) {
      const known = seedOf(request);
      const seed = known ?? randomBytes(16).toString('hex');
      if (known === null) {
        const secure = request.headers['x-forwarded-proto'] === 'https';
        reply.header('set-cookie', writeCookie(COOKIE, seed, { maxAgeMs: null, secure }));
      }
      return sign(seed);
    },
    isGenuine(request, given) {
      const seed = seedOf(request);
      return seed !== null && given !== null && equalSecrets(given, sign(seed));
    },
  };
}
