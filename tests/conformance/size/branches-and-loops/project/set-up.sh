#!/bin/sh
set -e
cp /data.bin /by-script
