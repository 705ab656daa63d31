import * as z from 'zod';
import type { Deviation } from './exchange.ts';

/** Ways in which a value does not have a shape, one per place. */
export function shapeDeviations(shape: z.ZodType, value: unknown, at: string): Deviation[] {
  const read = shape.safeParse(value);
  if (read.success) return [];
  return read.error.issues.map((issue) => {
    const told = nearest(issue);
    return { at: at + place(told.path), what: told.message };
  });
}

/** Of a choice of shapes, what kept the value from the one that it came closest to. */
function nearest(issue: z.core.$ZodIssue): { path: PropertyKey[]; message: string } {
  if (issue.code !== 'invalid_union') return issue;
  const inside = issue.errors.flatMap((issues) => issues.slice(0, 1)).map(nearest);
  const deepest = inside.toSorted((a, b) => b.path.length - a.path.length)[0];
  if (!deepest || deepest.path.length === 0) {
    return { path: issue.path, message: inside.map((each) => each.message).join(', or ') };
  }
  return { path: [...issue.path, ...deepest.path], message: deepest.message };
}

function place(path: readonly PropertyKey[]): string {
  return path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The items of a list that are looked at: the first ones, and the last one. */
export function sampled(
  list: readonly unknown[],
  sample: number,
): readonly (readonly [number, unknown])[] {
  const all = [...list.entries()];
  return all.length <= sample ? all : [...all.slice(0, Math.max(1, sample - 1)), ...all.slice(-1)];
}

/** `2026-08-20T09:30:00.000Z` */
export const timeShape = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'expected ISO-8601 UTC with milliseconds');

export const dateShape = z.string().regex(/^\d{4}-\d\d-\d\d$/, 'expected YYYY-MM-DD');

export const idShape = z.string().min(1);
