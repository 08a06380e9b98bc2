# Stowage in a container: build with the development dependencies, run without.
# Any image with Node 20.19 or later, glibc or musl, serves as the base.
ARG NODE_IMAGE=node:20-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm install --no-save
COPY tsconfig.json ./
COPY src src
RUN npm run build && npm prune --omit=dev

FROM ${NODE_IMAGE}
WORKDIR /opt/stowage
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist/src dist/src
# Docker asks this first as well. A socket that is there is no daemon that answers.
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["node", "-e", "\
  const socketPath = process.env.STOWAGE_SOCKET || '/run/docker/plugins/stowage.sock'; \
  require('http').request({ socketPath, path: '/Plugin.Activate', method: 'POST' }, \
    ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1)) \
    .on('error', () => process.exit(1)).end()"]
# It mounts, so it runs as root, with CAP_SYS_ADMIN and /run/docker/plugins and
# its data root shared with the host: docker run -v …:…:rshared.
ENTRYPOINT ["node", "dist/src/main.js"]
CMD ["serve"]
