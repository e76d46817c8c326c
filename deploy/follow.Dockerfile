# The `sextant` command in a container, for a follower.
#
#   docker build -f deploy/follow.Dockerfile -t sextant/follow .
#
# Its folder is /state: a volume, for one follower only.

FROM rust:1.95-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends clang cmake libclang-dev protobuf-compiler \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /sextant
COPY . .
ARG TARGET_CPU="x86-64-v3"
ENV RUSTFLAGS="-C target-cpu=${TARGET_CPU} -C target-feature=-avx512dq"
RUN cargo build --release --locked -p sextant-client --bin sextant \
 && cp target/release/sextant /usr/local/bin/

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin sextant \
 && install -d -o 10001 -g 10001 /state
COPY --from=build /usr/local/bin/sextant /usr/local/bin/sextant
USER 10001:10001
VOLUME /state
EXPOSE 7102
ENV SEXTANT_STATE=/state SEXTANT_FOLLOW_OPERATIONS_LISTEN=0.0.0.0:7102
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/sextant"]
CMD ["follow", "--json"]
