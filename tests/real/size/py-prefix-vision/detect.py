#!/usr/bin/env python3
import cv2
import onnxruntime

print(cv2.__version__, onnxruntime.__version__)
