import type { Random } from '../kernel/random.ts';

const BASE32 = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** An id of the older documents' form: `per_01HX…`. */
export function prefixedId(random: Random, object: string): string {
  let tail = '';
  for (let i = 0; i < 22; i += 1) tail += BASE32[random.int(32)] ?? '0';
  return `${object.replace(/^c_/, '').slice(0, 3)}_01HX${tail}`;
}
