FROM python:3.7-alpine AS builder

COPY requirements.txt /requirements.txt
RUN pip install --no-compile --prefix=/install -r /requirements.txt \
 && find /install -depth -type d \( -name test -o -name tests -o -name examples \) -exec rm -rf {} + \
 && find /install -name __pycache__ -prune -exec rm -rf {} +

# What a server never loads: headers, the static library, the editor and its toolkit, 2to3, pip and the wheels it
# comes in, the symbols of the binaries. gunicorn 19 imports pkg_resources, so setuptools stays.
RUN apk add --no-cache binutils
RUN cd /usr/local \
 && rm -rf include share lib/pkgconfig lib/python3.7/config-* lib/python3.7/ensurepip lib/python3.7/lib2to3 \
           lib/python3.7/idlelib lib/python3.7/tkinter lib/python3.7/turtledemo lib/python3.7/turtle.py \
           lib/python3.7/pydoc_data lib/python3.7/lib-dynload/_tkinter.* lib/python3.7/lib-dynload/_test* \
           lib/python3.7/lib-dynload/_ctypes_test.* lib/python3.7/site-packages/pip lib/python3.7/site-packages/pip-* \
           lib/python3.7/site-packages/wheel lib/python3.7/site-packages/wheel-* \
           bin/2to3* bin/idle* bin/pydoc* bin/pyvenv* bin/pip* bin/easy_install* bin/wheel bin/*-config \
 && find lib -name __pycache__ -prune -exec rm -rf {} + \
 && find lib -name '*.exe' -delete \
 && find bin lib -type f \( -name "*.so" -o -name "*.so.*" -o -name python3.7m \) -exec strip --strip-all {} +

FROM alpine:3.10

# What the interpreter's extension modules are linked with.
RUN apk add --no-cache bzip2 ca-certificates expat gdbm libffi libnsl libtirpc libuuid ncurses-libs openssl readline sqlite-libs xz-libs zlib

ENV LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
COPY --from=builder /usr/local /usr/local
COPY --from=builder /install /usr/local
COPY main.py /app/
COPY quotes /app/quotes
WORKDIR /app

EXPOSE 8000
CMD ["gunicorn", "-w 4", "-b", ":8000", "main:app"]
