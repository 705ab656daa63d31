export const TITLE = 'Brevo';
