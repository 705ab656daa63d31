import { isObject } from '../../domain/json.ts';

/** What the user of the key may do with an object or a field. */
export interface Access {
  readonly canView: boolean;
  readonly canEdit: boolean;
}

const NOTHING: ReadonlySet<string> = new Set(['none', 'hidden', 'no_access']);
const VIEWS: ReadonlySet<string> = new Set(['view', 'read', 'view_only', 'read_only']);

/**
 * What `access` says is not described: it may be flags, a list of what is allowed, or a word. What
 * says nothing forbids nothing, for a refusal would tell.
 */
export function readAccess(access: unknown): Access {
  if (access === false) return { canView: false, canEdit: false };
  if (typeof access === 'string') {
    const word = access.toLowerCase();
    if (NOTHING.has(word)) return { canView: false, canEdit: false };
    return { canView: true, canEdit: !VIEWS.has(word) };
  }
  if (Array.isArray(access)) {
    const words: readonly unknown[] = access;
    const canView = words.length > 0;
    return { canView, canEdit: words.some((word) => word === 'edit' || word === 'write') };
  }
  if (!isObject(access)) return { canView: true, canEdit: true };
  const forbids = (...names: readonly string[]) => names.some((name) => access[name] === false);
  const canView = !forbids('view', 'can_view', 'read');
  return { canView, canEdit: canView && !forbids('edit', 'can_edit', 'write') };
}
