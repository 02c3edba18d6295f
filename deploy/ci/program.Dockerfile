# A program that Cargo has built outside, on the stage `runtime` of deploy/Dockerfile.
ARG RUNTIME_IMAGE
FROM ${RUNTIME_IMAGE}
ARG BIN
COPY ${BIN} /usr/local/bin/program
