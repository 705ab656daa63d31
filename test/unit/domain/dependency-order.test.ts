import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dependencyOrder, prerequisites } from '../../../src/domain/dependency-order.ts';
import type { ObjectSchema } from '../../../src/domain/schema.ts';
import { objectSchema, reference } from '../../support/fields.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'] as const;

function workspace(edges: readonly (readonly [string, string])[]): readonly ObjectSchema[] {
  return NAMES.map((object) => {
    const targets = edges.flatMap(([from, to]) => (from === object ? [to] : []));
    return objectSchema(
      object,
      targets.map((target) => reference(`${target}_id`, target)),
    );
  });
}

const anyEdges = fc.uniqueArray(
  fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...NAMES, 'not_mirrored')),
  { maxLength: 12, selector: String },
);

function reaches(edges: readonly (readonly [string, string])[], from: string, to: string): boolean {
  const seen = new Set<string>();
  const open = [from];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const [source, target] of edges) {
      if (source !== next || seen.has(target)) continue;
      seen.add(target);
      open.push(target);
    }
  }
  return seen.has(to);
}

test('every object comes once, after all it refers to unless they refer back', () => {
  fc.assert(
    fc.property(anyEdges, (edges) => {
      const schemas = workspace(edges);
      const order = dependencyOrder(schemas);
      expect(order.toSorted()).toEqual([...NAMES]);
      for (const a of NAMES) {
        const targets = NAMES.filter((b) => edges.some(([from, to]) => from === a && to === b));
        for (const b of targets.filter((target) => !reaches(edges, target, a))) {
          expect(order.indexOf(b)).toBeLessThan(order.indexOf(a));
        }
      }
    }),
  );
});

test('a record waits for those it refers to, unless their object leads back', () => {
  fc.assert(
    fc.property(anyEdges, (edges) => {
      const schemas = workspace(edges);
      for (const a of NAMES) {
        const expected = NAMES.filter(
          (b) =>
            edges.some(([from, to]) => from === a && to === b) && b !== a && !reaches(edges, b, a),
        );
        expect([...prerequisites(schemas, a)].toSorted()).toEqual(expected);
      }
    }),
  );
});

test('the order does not depend on the order given', () => {
  fc.assert(
    fc.property(
      anyEdges,
      fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }),
      (edges, mixed) => {
        const schemas = workspace(edges);
        const shuffled = mixed.flatMap((i) => schemas.slice(i, i + 1));
        expect(dependencyOrder(shuffled)).toEqual(dependencyOrder(schemas));
      },
    ),
  );
});
