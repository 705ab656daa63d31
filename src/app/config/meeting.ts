/** The one object that has recordings. */
export const MEETING = 'meeting';
