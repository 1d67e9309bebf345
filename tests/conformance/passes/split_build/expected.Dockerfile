FROM node:24-slim AS base
ENV TZ=UTC
WORKDIR /app

FROM base AS dependencies

RUN --mount=type=cache,target=/root/.npm --mount=type=bind,source=package.json,target=package.json --mount=type=bind,source=package-lock.json,target=package-lock.json npm ci --omit=dev

FROM base AS builder

COPY package*.json ./
RUN npm ci

# The sources, compiled.
COPY . .
RUN npm run build

FROM base

COPY --from=dependencies /app/node_modules ./node_modules
COPY . .
COPY --from=builder /app/dist ./dist

EXPOSE 3000
CMD ["node", "dist/main.js"]
