FROM node:24-slim
WORKDIR /app

COPY package.json package-lock.json ./
# Everything that the desk needs.
RUN npm ci --omit=dev \
    --no-audit
COPY index.js ./
CMD ["npm", "start"]
