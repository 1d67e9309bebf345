FROM node:22-slim AS builder
WORKDIR /app
COPY package.json build.js ./
COPY src/ ./src/
RUN npm run build

FROM debian:bookworm-slim

RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node
COPY --from=node:22-slim /usr/local/bin/node /usr/local/bin/docker-entrypoint.sh /usr/local/bin/
ENTRYPOINT ["docker-entrypoint.sh"]
WORKDIR /app
COPY --from=builder --chown=node:node /app/dist ./dist
USER node
EXPOSE 3000
CMD ["node", "dist/server.js"]
