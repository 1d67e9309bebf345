FROM node:22-slim

WORKDIR /srv/letters
# The templates are compiled when the packages are there.
RUN --mount=type=bind,source=package-lock.json,target=package-lock.json \
    --mount=type=bind,source=package.json,target=package.json \
    npm ci --ignore-scripts --no-audit && npm rebuild esbuild node-expat
COPY . /srv/letters
RUN npm run postinstall

CMD ["node", "server.js"]
