FROM fedora:41
RUN dnf install -y python3 \
    && dnf clean all
RUN microdnf install -y git && \
    microdnf clean all
RUN --mount=type=cache,target=/var/cache/dnf dnf install -y make
RUN useradd app \
    && yum -y install curl \
    && yum clean all
COPY main.py /app/
