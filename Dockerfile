FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json bundle.ts ./
COPY src src
RUN npm run build

# Embedded Postgres is left out: a container gets its database from DATABASE_URL.
FROM node:24-alpine
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY migrations migrations
USER node
EXPOSE 8460
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["run"]
