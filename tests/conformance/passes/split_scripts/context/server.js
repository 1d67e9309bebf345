console.log(require('node-expat'))
