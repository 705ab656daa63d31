import { EARLIEST_MS } from '../domain/walk/instant.ts';
import type { Span } from './halving.ts';

/** Whole days, so that it means the same to a server that compares days. */
export const ALL_TIME: Span = { fromMs: EARLIEST_MS, toMs: Date.UTC(2200, 0, 1) - 1 };
