# The Node that package.json has for development: one version everywhere.
ARG NODE_IMAGE=node:26.10.0-slim

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
ENV NODE_ENV=production \
    MILLRACE_LISTEN_HOST=0.0.0.0 \
    MILLRACE_DATA=/data
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json LICENSE ./
COPY config config
COPY src src
RUN npm run prepare
# The image's own user; everything but /data is root's, and may be mounted read-only.
RUN install --directory --owner=node --group=node --mode=0750 /data
USER node
VOLUME /data
EXPOSE 8080
# The admin side stays on the container's loopback unless MILLRACE_ADMIN_HOST opens it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.MILLRACE_ADMIN_PORT || 8081}/healthz`).then(({ ok }) => { process.exitCode = ok ? 0 : 1; }, () => { process.exitCode = 1; })"]
# As `npm start` does.
ENTRYPOINT ["node", "--max-semi-space-size=16", "src/launch.cjs"]
CMD ["serve"]
