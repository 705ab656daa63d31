import { renderSql, type Schemas, TEMPLATE } from '../control/schemas.ts';

/**
 * A name of the schemas that migrations are written with, and what follows of it: not `clarify-sync`,
 * nor a word that only begins so.
 */
const NAME = new RegExp(
  `(?<![\\w-])${TEMPLATE.mirror}(_sync|_history)?(_\\w+)?(?![\\w-])(\\.?)`,
  'g',
);

/**
 * SQL with the names of the template, as it reads in these schemas: identifiers, settings, channels,
 * comments and the bodies of functions; what users read names their CRM. Nothing changes where these
 * are the template's own.
 *
 * @param quoted the mirror's schema as SQL takes it before a dot: some names are words of SQL.
 */
export function fromTemplate(text: string, schemas: Schemas, quoted: string): string {
  const named = text.replace(NAME, (_name, kind: string = '', rest: string = '', dot: string) => {
    if (kind === '' && rest === '' && dot !== '') return `${quoted}${dot}`;
    const token = kind === '' ? 'mirror' : kind.slice(1);
    return `${renderSql(`{${token}}${rest}`, schemas)}${dot}`;
  });
  return named.replace(TITLE, () => schemas.title);
}

/** Of the CRM there was when the migrations were written. */
const TITLE = new RegExp(`(?<![\\w-])${TEMPLATE.title}(?![\\w-])`, 'g');
