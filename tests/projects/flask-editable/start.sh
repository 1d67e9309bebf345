#!/bin/sh
set -e
python -m lostfound.check
exec gunicorn --bind "0.0.0.0:${PORT:-8000}" --workers 2 lostfound:app
