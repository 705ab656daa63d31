import {
  BOOLEAN,
  oneOf,
  SHARED_RULES,
  type SwitchesOf,
  type SwitchRules,
  switchTable,
  whole,
} from '../kernel/switches.ts';

export type Dialect = 'current' | 'classic';

/** Everything the sources leave open about the server, and what else tests like to vary. */
const RULES = {
  dateFilters: oneOf(['instants', 'days'], 'what a date-time filter compares'),
  isAfter: oneOf(['strict', 'inclusive'], 'whether `Is after` leaves out the value itself'),
  tieOrder: oneOf(
    ['stable', 'reversed', 'shuffled'],
    'order among equal sort keys: always the same, turned round on every second list of the object, or new on every request',
  ),
  updatedAtUntilEdit: oneOf(['set', 'null', 'absent'], '`_updated_at` before the first edit'),
  linksBump: oneOf(
    ['none', 'owner', 'both'],
    'whose `_updated_at` a change of links moves: nobody, the record named in the request, or both ends',
  ),
  enrichmentBump: oneOf(BOOLEAN, 'enrichment moves `_updated_at`'),
  mergesBump: oneOf(['none', 'target', 'all'], 'whose `_updated_at` a merge moves'),
  noopBumps: oneOf(BOOLEAN, 'an update that changes nothing moves `_updated_at`'),
  visibilityDelayMs: whole('how long a write stays out of lists'),
  lateShare: { min: 0, max: 1, about: 'which share of the writes is delayed' },
  mergedInDeletedFeed: oneOf(BOOLEAN, 'merged-away records are in deleted-resources'),
  deletedFeed: oneOf(['present', 'missing'], 'whether deleted-resources exists'),
  bulkBytesMax: whole('largest request body, beyond it 413; 0 for no limit'),
  bulkRecordsMax: whole('largest bulk call, beyond it 422; 0 for no limit'),
  bulkAnswerOrder: oneOf(['request', 'shuffled'], 'order of the records in a bulk answer'),
  bulkDelete: oneOf(['present', '404', '405'], 'bulk DELETE, or what it answers instead'),
  omitNulls: oneOf(BOOLEAN, 'fields without a value are left out of answers'),
  omitUnsent: oneOf(BOOLEAN, 'the answer to an update holds only the fields that were sent'),
  ignoresUnknownTopLevelKeys: oneOf(BOOLEAN, 'an unknown key beside `data` is ignored, not 422'),
  matchedCollections: oneOf(
    ['append', 'replace'],
    'what an upsert does to the collections of the record it matched',
  ),
  activities: oneOf(['ok', 'some', '500'], 'activity feeds answer, or a third of them or all fail'),
  activityTypes: oneOf(
    ['mixed', 'colon', 'pascal'],
    'types in activity feeds: `clarify:update`, `ClarifyUpdate`, or both in turn',
  ),
  emptyCollections: oneOf(
    ['items', 'null'],
    'an empty collection comes as `{items: []}` or as null',
  ),
  bareCollection: oneOf(
    ['contains', 'is'],
    'what a bare value means in a filter of a collection: one of its items, or all of it',
  ),
  wrongSlug: oneOf(
    ['404', '401'],
    'what another workspace’s slug answers, with a key that is good',
  ),
  userObject: oneOf(
    ['listed', 'absent'],
    '/schemas lists `user` like an object, whose resources answer 404',
  ),
  nextLinks: oneOf(
    ['dead', 'followable'],
    'links to other pages name port 80, where nobody answers, or the address that was asked',
  ),
  pageDefault: whole('records on a page where no limit is given, 500 or 50', 1),
  pageMax: whole('largest page', 1),
  pageOver: oneOf(['refuse', 'cap'], 'asking for more than pageMax: 400, or a page of pageMax'),
  totalPages: oneOf(['always', 'sometimes', 'never'], '`meta.total_pages` in a list'),
  linkageCap: whole('most ids a to-many linkage lists', 1),
  schemaForm: oneOf(
    ['list', 'array', 'bare'],
    '/schemas: a cursor-paged list, one array of the same items, one array of bare JSON Schemas',
  ),
  schemaPageSize: whole('schemas on a page', 1),
  rateScope: oneOf(['endpoint', 'object'], 'objects share an endpoint’s rate limit, or not'),
  normalises: oneOf(
    ['case', 'trim', 'nothing'],
    'what the server does to text: lower case for e-mails and domains, surrounding space removed as well, nothing',
  ),
  deletedTargets: oneOf(
    ['keep', 'clear'],
    'what to-one links to a deleted record do: stay as they are, or become null',
  ),
  danglingLinks: oneOf(['refuse', 'accept'], 'a link to an id that is unknown'),
  consent: oneOf(
    ['ask', 'grant', 'deny'],
    'what the page of the authorization server does: asks, or lets everyone or nobody in at once',
  ),
  accessTokenSeconds: whole('how long an access token is good for', 1),
  refreshTokens: oneOf(
    ['rotate', 'keep', 'none'],
    'a refresh gives another refresh token, or the old one stays, or a login gives none',
  ),
  ...SHARED_RULES,
  ratePerMinute: whole('requests an endpoint allows in any 60 seconds', 1),
} as const satisfies SwitchRules;

export type Switches = SwitchesOf<typeof RULES>;

export const clarifySwitches = switchTable(RULES);

export function defaultSwitches(dialect: Dialect): Switches {
  const classic = dialect === 'classic';
  return {
    dateFilters: 'instants',
    isAfter: 'strict',
    tieOrder: 'stable',
    updatedAtUntilEdit: 'set',
    linksBump: 'none',
    enrichmentBump: true,
    mergesBump: 'target',
    noopBumps: true,
    visibilityDelayMs: 0,
    lateShare: 1,
    mergedInDeletedFeed: false,
    deletedFeed: classic ? 'missing' : 'present',
    bulkBytesMax: 4 * 1024 * 1024,
    bulkRecordsMax: classic ? 25 : 0,
    bulkAnswerOrder: 'request',
    bulkDelete: 'present',
    omitNulls: false,
    omitUnsent: false,
    ignoresUnknownTopLevelKeys: true,
    matchedCollections: 'append',
    activities: 'ok',
    activityTypes: 'mixed',
    emptyCollections: 'items',
    bareCollection: 'contains',
    wrongSlug: '404',
    userObject: classic ? 'absent' : 'listed',
    nextLinks: classic ? 'followable' : 'dead',
    pageDefault: classic ? 25 : 500,
    pageMax: classic ? 1000 : 500,
    pageOver: classic ? 'cap' : 'refuse',
    totalPages: classic ? 'always' : 'sometimes',
    linkageCap: 25,
    schemaForm: classic ? 'array' : 'list',
    schemaPageSize: 10,
    rateScope: 'endpoint',
    normalises: 'case',
    deletedTargets: 'keep',
    danglingLinks: 'refuse',
    consent: 'ask',
    accessTokenSeconds: 3600,
    refreshTokens: 'rotate',
    clockSkewMs: 0,
    latencyMs: 0,
    ratePerMinute: 3000,
  };
}

/** @throws RangeError naming the switch and what it takes. */
export function parseSwitch(name: string, value: unknown): Partial<Switches> {
  return clarifySwitches.parse(name, value);
}
