FROM --platform=$BUILDPLATFORM ghcr.io:443/a/b:2@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef as x
FROM python:3.12-slim AS base
FROM base
