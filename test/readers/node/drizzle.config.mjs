export default {
  dialect: 'postgresql',
  out: './pulled',
  schemaFilter: ['clarify'],
  dbCredentials: { url: process.env.DATABASE_URL },
};
