import { type Exchange, type Fields, page, rows } from './exchanges.ts';

/** What one request brought is another's too, or not. */
function between(
  first: Fields,
  second: Fields,
  shared: 'shared' | 'apart',
  vary?: string,
): readonly Exchange[] {
  const names = vary ?? Object.keys({ ...first, ...second }).join(', ');
  const origin = page('max-age=60', { Vary: names });
  return [
    { send: first, origin },
    {
      send: second,
      ...(shared === 'apart' && { origin: page('max-age=60', { Vary: names }, 'two') }),
    },
  ];
}

const lines = (...values: readonly string[]): Fields => ({ 'X-A': values });
const language = (value: string): Fields => ({ 'Accept-Language': value });
const encoding = (value: string): Fields => ({ 'Accept-Encoding': value });

rows('Vary (RFC 9111 section 4.1)', {
  'the same value': between(lines('1'), lines('1'), 'shared'),
  'another value': between(lines('1'), lines('2'), 'apart'),
  'absence is a value': between(lines('1'), {}, 'apart'),
  'absence twice': between({}, {}, 'shared', 'X-A'),
  'an empty value is not absence': between({}, lines(''), 'apart', 'X-A'),
  'names ignore case': between({ 'X-A': '1' }, { 'x-a': '1' }, 'shared', 'x-A'),
  'each of several names must match': between(
    { 'X-A': '1', 'X-B': '1' },
    { 'X-A': '1', 'X-B': '2' },
    'apart',
  ),
  'what it does not name is nothing': between(
    { 'X-A': '1', 'X-B': '1' },
    { 'X-A': '1', 'X-B': '2' },
    'shared',
    'X-A',
  ),
  'white space in lists is nothing': between(lines('1,2'), lines('1 ,\t2'), 'shared'),
  'lines of a list are the list': between(lines('1, 2'), lines('1', '2'), 'shared'),
  'the order of a list that nobody knows counts': between(lines('1, 2'), lines('2, 1'), 'apart'),
  'case in a field that nobody knows counts': between(lines('a'), lines('A'), 'apart'),
  'case in Accept-Language is nothing': between(language('de, en'), language('DE,en'), 'shared'),
  'order in Accept-Language counts (RFC 9110 section 12.5.4)': between(
    language('de, en'),
    language('en, de'),
    'apart',
  ),
  'weights in Accept-Language count': between(language('de'), language('de;q=0.5'), 'apart'),
  'order in Accept-Encoding is nothing (RFC 9110 section 12.5.3)': between(
    encoding('gzip, br'),
    encoding('br, gzip'),
    'shared',
  ),
  'a comma in User-Agent is no list': between(
    { 'User-Agent': 'a,b' },
    { 'User-Agent': 'a, b' },
    'apart',
  ),
  'variants live side by side': [
    { send: lines('1'), origin: page('max-age=60', { Vary: 'X-A' }, 'one') },
    { send: lines('2'), origin: page('max-age=60', { Vary: 'X-A' }, 'two') },
    { send: {}, origin: page('max-age=60', { Vary: 'X-A' }, 'none') },
    { send: lines('1'), gets: { body: 'one' } },
    { send: lines('2'), gets: { body: 'two' } },
    { send: {}, gets: { body: 'none' } },
  ],
  'of several that match, the most recent by Date (RFC 9111 section 4)': [
    { send: { 'X-A': '1', 'X-B': '1' }, origin: page('max-age=600', { Vary: 'X-A' }, 'by A') },
    {
      after: 5,
      send: { 'X-A': '2', 'X-B': '1' },
      origin: page('max-age=600', { Vary: 'X-B' }, 'by B'),
    },
    { after: 5, send: { 'X-A': '1', 'X-B': '1' }, gets: { body: 'by B' } },
    { send: { 'X-A': '1', 'X-B': '2' }, gets: { body: 'by A' } },
  ],
  'a response without it is everybody’s': [
    { send: lines('1'), origin: page('max-age=60') },
    { send: lines('2') },
    { send: {} },
  ],
  'the nominated fields are part of a validation, another variant’s tag is not': [
    { send: lines('1'), origin: page('max-age=60', { Vary: 'X-A', ETag: '"1"' }) },
    {
      after: 60,
      send: lines('1'),
      origin: page('max-age=60', { Vary: 'X-A', ETag: '"2"' }, 'two'),
      asked: { 'x-a': '1', 'if-none-match': '"1"' },
    },
    {
      send: lines('3'),
      origin: page('max-age=60', { Vary: 'X-A' }, 'three'),
      asked: { 'x-a': '3', 'if-none-match': undefined },
    },
    { send: lines('1'), gets: { body: 'two' } },
  ],
  'a change of one variant leaves the others': [
    { send: lines('1'), origin: page('max-age=60', { Vary: 'X-A' }) },
    { after: 30, send: lines('2'), origin: page('max-age=60', { Vary: 'X-A' }, 'two') },
    { after: 30, send: lines('1'), origin: page('max-age=60', { Vary: 'X-A' }, 'new') },
    { send: lines('2'), gets: { body: 'two' } },
  ],
});
