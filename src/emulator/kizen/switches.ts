import {
  BOOLEAN,
  oneOf,
  SHARED_RULES,
  type SwitchesOf,
  type SwitchRules,
  switchTable,
  whole,
} from '../kernel/switches.ts';

const share = (about: string) => ({ min: 0, max: 1, about });

/** Everything the sources leave open about the server, and what else tests like to vary. */
const RULES = {
  pageMax: whole('most records on a page of a search', 1),
  pageOver: oneOf(
    ['cut', 'refuse'],
    'a `page_size` above `pageMax`: a page of so many, or, above 100 as well, a 400',
  ),
  listPage: whole('most on a page of objects, tags or values of a relation', 1),
  nextLinks: oneOf(
    ['dead', 'followable'],
    '`next` and `previous` name another host, where nobody answers, or the one that was asked',
  ),
  pastEnd: oneOf(['404', 'empty'], 'a page past the last'),
  hiddenRecords: oneOf(
    ['absent', 'gap'],
    'records that the key may not see: left out before pages are cut, or missing from theirs, so that it is short',
  ),
  partialShare: share(
    'which share of the pages, of searches and lists, is a 400 with a part of it and `errors`',
  ),
  ordering: oneOf(['honoured', 'ignored'], 'what `ordering` does'),
  unordered: oneOf(['created', 'newest', 'shuffled'], 'order of a search without `ordering`'),
  tieOrder: oneOf(
    ['stable', 'reversed', 'shuffled'],
    'order among equal values: always the same, turned round in every second answer, or new in every answer',
  ),
  timeFilters: oneOf(
    ['microseconds', 'milliseconds', 'seconds', 'days', 'business days'],
    'how finely a filter compares times; days are those of UTC',
  ),
  relationBumps: oneOf(
    ['both', 'written', 'none'],
    'whose `updated` a change of a relation moves: of both ends, of the record that was written, or of none',
  ),
  moveBumps: oneOf(BOOLEAN, 'a move moves `updated`'),
  unarchiveBumps: oneOf(BOOLEAN, 'an unarchive moves `updated`'),
  equalBumps: oneOf(BOOLEAN, 'a write of what stands moves `updated`'),
  visibilityDelayMs: whole('how long a write stays out of searches'),
  archiveDelayMs: whole('how much longer than that an archived record is still found'),
  lateShare: share('which share of the writes is delayed'),
  names: oneOf(
    ['unique', 'unique in any case', 'free'],
    'whether a record may take the name of another',
  ),
  archivedNames: oneOf(['taken', 'free'], 'names and e-mails of archived records'),
  archivedRefusal: oneOf(
    ['400', '409', '400 entry'],
    'how a name that an archived record holds is refused: 400 or 409 with `detail`, or 400 at the entry',
  ),
  archivedWrites: oneOf(['409', '404'], 'a change of an archived record'),
  relationWrites: oneOf(
    ['id object', 'bare id', 'either'],
    'the form in which relations are written',
  ),
  numbers: oneOf(
    ['numbers', 'decimal strings', 'strings'],
    'numbers as they are read: all as numbers, those with decimals as strings, or all as strings',
  ),
  ratings: oneOf(['option', 'number'], 'a rating as it is read'),
  choices: oneOf(['one', 'many'], 'whether a field of type `choices` holds one option or a list'),
  scalars: oneOf(['plain', 'wrapped', 'mixed'], 'a scalar as `x`, as `{"value": x}`, or either'),
  rows: oneOf(
    ['full', 'thin'],
    'fields of a search: with all that is known of them, or name and value',
  ),
  summaryAbove: whole('from how many on the records of a relation are counted, not told'),
  addStatus: oneOf(['201', '200'], 'what an add answers'),
  writeAnswers: oneOf(
    ['changed', 'everything'],
    'fields in the answer to a PATCH, a move or an upsert: those written, or all',
  ),
  clearing: oneOf(
    ['flags', 'null', 'empty'],
    'what clears a text: what its flags allow, `null` alone, or `""` alone',
  ),
  contactNames: oneOf(
    ['refused', 'taken'],
    'a new contact whose fields are told by name: a 403, or taken',
  ),
  archivedTargets: oneOf(['hidden', 'shown'], 'archived records in the relations of others'),
  deletedFields: oneOf(['listed', 'absent'], 'deleted fields in the list of fields'),
  errorItems: oneOf(
    ['strings', 'objects'],
    'errors of a key or an entry: text, or `{message, code}`',
  ),
  lockMs: whole('how long a write keeps its record: until then another is a 409'),
  bulkMs: whole('how long a bulk call takes once it is answered'),
  requestsPerSecond: whole('requests in any second; 0 for no limit'),
  retryAfter: oneOf(['seconds', 'date', 'absent'], '`Retry-After` of a 429'),
  limitForm: oneOf(['detail', 'html', 'empty'], 'body of a 429'),
  ...SHARED_RULES,
} as const satisfies SwitchRules;

export type Switches = SwitchesOf<typeof RULES>;

export const kizenSwitches = switchTable(RULES);

export function defaultSwitches(): Switches {
  return {
    pageMax: 1_000,
    pageOver: 'cut',
    listPage: 100,
    nextLinks: 'dead',
    pastEnd: '404',
    hiddenRecords: 'absent',
    partialShare: 0,
    ordering: 'honoured',
    unordered: 'created',
    tieOrder: 'stable',
    timeFilters: 'microseconds',
    relationBumps: 'both',
    moveBumps: true,
    unarchiveBumps: true,
    equalBumps: true,
    visibilityDelayMs: 0,
    archiveDelayMs: 0,
    lateShare: 1,
    names: 'unique',
    archivedNames: 'taken',
    archivedRefusal: '400',
    archivedWrites: '409',
    relationWrites: 'id object',
    numbers: 'numbers',
    ratings: 'option',
    choices: 'one',
    scalars: 'plain',
    rows: 'full',
    summaryAbove: 100,
    addStatus: '201',
    writeAnswers: 'changed',
    clearing: 'flags',
    contactNames: 'refused',
    archivedTargets: 'hidden',
    deletedFields: 'listed',
    errorItems: 'strings',
    lockMs: 0,
    bulkMs: 1_500,
    requestsPerSecond: 0,
    retryAfter: 'seconds',
    limitForm: 'detail',
    clockSkewMs: 0,
    latencyMs: 0,
  };
}
