# Two stages: compile with everything, run with production dependencies only. Node 26 (LTS), no root, no shell needed to start.
FROM node:26-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npx tsc -p tsconfig.build.json && npm prune --omit=dev --omit=optional --ignore-scripts

FROM node:26-bookworm-slim
LABEL org.opencontainers.image.title="slipstream" \
      org.opencontainers.image.description="OpenTelemetry-based SLO evaluation stream processor"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
COPY config ./config
RUN mkdir -p /var/lib/slipstream && chown 65532:65532 /var/lib/slipstream
USER 65532:65532
VOLUME /var/lib/slipstream
EXPOSE 4317 4318 8080
HEALTHCHECK --interval=10s --timeout=3s CMD ["node", "-e", "fetch('http://127.0.0.1:8080/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# A small young generation suits short-lived buffers: less memory and less copying under load.
ENTRYPOINT ["node", "--max-semi-space-size=4", "dist/main.js"]
CMD ["serve", "--config", "/etc/slipstream/slipstream.yaml"]
