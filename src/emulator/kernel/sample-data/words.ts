export const firstNames = (
  'Ada Alan Amara Anna Ben Björn Carla Chen Chloë Dana David Elena Emil Eva Farid Femi Grace Hana ' +
  'Hugo Ines Ivan Jack José Julia Kai Karin Lars Lea Liam Lina Lucía Mara Marc Mei Mia Milo Nadia ' +
  'Nils Nora Olga Omar Paul Priya Rosa Sara Simon Sofia Tariq Tom Uma Vera Yara Zoë'
).split(' ');

export const lastNames = (
  'Abbott Adeyemi Ahmed Becker Berg Brandt Campbell Castro Chang Costa Diaz Dubois Eriksson Fischer ' +
  'Fontaine Garcia Gupta Haas Hansen Ito Ivanov Jensen Kaya Keller Kim Kowalski Larsen Lopez Martin ' +
  'Meyer Moreau Murphy Müller Nguyen Novak Okafor Olsen Ortiz Park Patel Peña Petrov Quinn Rossi ' +
  'Santos Schmidt Silva Singh Suzuki Tanaka Weber Wolf Young Zhang'
).split(' ');

export const jobTitles = [
  'Account Executive',
  'Analyst',
  'Chief Financial Officer',
  'Customer Success Manager',
  'Data Engineer',
  'Founder',
  'Head of Operations',
  'Marketing Lead',
  'Procurement Manager',
  'Product Manager',
  'Software Engineer',
  'VP Sales',
] as const;

export const companyWords = (
  'Alder Amber Arc Aster Beacon Birch Bright Cedar Cobalt Coral Delta Ember Fjord Forge Granite ' +
  'Harbor Iris Juniper Kestrel Lantern Linden Maple Meridian Mistral Nimbus North Onyx Orchid Pine ' +
  'Quarry River Sable Summit Tern Umber Vale Willow Zephyr'
).split(' ');

export const companyKinds = ['Labs', 'Logistics', 'Systems', 'Foods', 'Energy', 'Health', 'Works'];

export const cities: readonly (readonly [city: string, country: string])[] = [
  ['Berlin', 'DE'],
  ['Chicago', 'US'],
  ['Lagos', 'NG'],
  ['Lisbon', 'PT'],
  ['Málaga', 'ES'],
  ['Melbourne', 'AU'],
  ['Oslo', 'NO'],
  ['Pune', 'IN'],
  ['Toronto', 'CA'],
];

export const streets = [
  'Mill Lane',
  'Station Road',
  'Harbour Street',
  'Park Avenue',
  'High Street',
];

export const taskVerbs = [
  'Call',
  'Send proposal to',
  'Follow up with',
  'Prepare demo for',
] as const;

export const meetingKinds = ['Kick-off', 'Weekly check-in', 'Demo', 'Contract review'] as const;
