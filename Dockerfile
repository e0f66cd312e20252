# Compiles with everything, runs with production packages only: Node 26 (LTS), no root, no shell needed, nothing in it that changes from one build to the next.
# The platform of the image is `--platform`; only the machine that builds runs anything, so another architecture needs no emulation.
# Pin what it stands on by digest: --build-arg NODE_IMAGE=node:26-bookworm-slim@sha256:…
ARG NODE_IMAGE=node:26-bookworm-slim
# Where it runs: any image with Node 26, glibc and libatomic; one without a shell will do.
ARG RUNTIME_IMAGE=${NODE_IMAGE}

# The Node binaries that `npm ci` brings to a developer's machine are left out: the base has its own.
FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm pkg delete optionalDependencies && npm install --package-lock-only --ignore-scripts

FROM packages AS build
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY config ./config
# Types are checked before (`npm run types`); here only the JavaScript is wanted.
RUN npx tsc -p tsconfig.build.json --noCheck && chmod 755 dist/main.js && chmod -R u=rwX,go=rX config \
 && mkdir -p /files/usr/local/bin /state && ln -s /app/dist/main.js /files/usr/local/bin/slipstream

# Packages for the platform of the image, as snappy and lz4 have native parts: npm leaves out in silence what it cannot have, so they are looked for.
# Typings, source maps and what belongs to the packages' own development are of no use there.
FROM packages AS production
ARG TARGETARCH
RUN --mount=type=cache,target=/root/.npm \
    case "$TARGETARCH" in amd64) cpu=x64 ;; arm64) cpu=arm64 ;; *) echo "no packages for TARGETARCH '$TARGETARCH'; build with BuildKit" >&2; exit 1 ;; esac \
 && npm pkg delete devDependencies scripts && npm install --package-lock-only --ignore-scripts \
 && npm ci --ignore-scripts --os=linux --libc=glibc --cpu="$cpu" \
 && ls node_modules/@napi-rs/snappy-linux-"$cpu"-gnu/*.node node_modules/@antoniomuso/lz4-napi-linux-"$cpu"-gnu/*.node \
 && find node_modules -type f \( -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.map' \) -delete \
 && find node_modules -depth -name '.git*' -exec rm -r {} +
# What is inside, without the number and the time that would make each build another one.
RUN npm sbom --sbom-format=cyclonedx --sbom-type=application >sbom.json \
 && node -e 'const sbom = JSON.parse(fs.readFileSync("sbom.json")); delete sbom.serialNumber; delete sbom.metadata.timestamp; sbom.metadata.component.name = "slipstream"; fs.writeFileSync("sbom.cdx.json", JSON.stringify(sbom))'

FROM ${RUNTIME_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="slipstream" \
      org.opencontainers.image.description="OpenTelemetry-based SLO evaluation stream processor" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      io.slipstream.sbom="/app/sbom.cdx.json"
ENV NODE_ENV=production
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/nodejs/bin
WORKDIR /app
COPY --from=production /app/node_modules ./node_modules
COPY --from=production /app/package.json /app/sbom.cdx.json ./
COPY --from=build /app/dist ./dist
COPY --from=build /files/ /
COPY --from=build /app/config ./config
COPY --from=build --chown=65532:65532 /state /var/lib/slipstream
USER 65532:65532
VOLUME /var/lib/slipstream
EXPOSE 4317 4318 8080
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["node", "/app/dist/main.js", "health", "--config", "/etc/slipstream/slipstream.yaml"]
# A small young generation suits short-lived buffers: less memory and less copying under load.
ENTRYPOINT ["node", "--max-semi-space-size=4", "/app/dist/main.js"]
CMD ["serve", "--config", "/etc/slipstream/slipstream.yaml"]
