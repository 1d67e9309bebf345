require('node:fs').mkdirSync('generated')
