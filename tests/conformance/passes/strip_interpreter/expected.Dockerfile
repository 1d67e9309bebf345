FROM python:3.12-alpine AS base
WORKDIR /app

FROM base AS builder
RUN pip install --no-cache-dir --prefix=/install flask==3.1.3
RUN apk add --no-cache binutils \
    && cd /usr/local \
    && rm -rf lib/python3.12/site-packages/pip lib/python3.12/site-packages/pip-* bin/2to3* bin/easy_install* bin/idle* bin/pip* bin/pydoc* bin/pyvenv* bin/wheel bin/*-config bin/*-gdb.py lib/python3.12/ensurepip lib/python3.12/idlelib lib/python3.12/pydoc_data include lib/python3.12/tkinter lib/python3.12/lib-dynload/_tkinter.* lib/python3.12/lib2to3 lib/python3.12/lib-dynload/_test* lib/python3.12/lib-dynload/_ctypes_test* lib/python3.12/lib-dynload/_xxtest* lib/python3.12/lib-dynload/xxlimited* lib/python3.12/turtledemo lib/python3.12/turtle.py lib/pkgconfig lib/python3.12/config-* share \
    && find lib -name __pycache__ -prune -exec rm -rf {} + \
    && find bin lib -type f \( -name 'python3.12*' -o -name '*.so' -o -name '*.so.*' \) -exec strip --strip-all {} +

FROM alpine:3.24

RUN apk add --no-cache ca-certificates gdbm keyutils-libs krb5-conf krb5-libs libbz2 libcom_err libffi libintl libncursesw libnsl libpanelw libtirpc libtirpc-conf libuuid libverto ncurses-terminfo-base readline sqlite-libs tzdata xz-libs
ENV LANG=C.UTF-8
WORKDIR /app
COPY --from=builder /usr/local /usr/local
COPY --from=builder /install /usr/local
COPY main.py .
CMD ["python", "main.py"]
