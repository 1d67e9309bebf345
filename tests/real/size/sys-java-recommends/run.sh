#!/bin/sh
exec java Service.java
