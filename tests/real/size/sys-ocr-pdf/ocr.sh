tesseract "$1" out
