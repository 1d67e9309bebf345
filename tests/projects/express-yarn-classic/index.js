const compression = require('compression')
const express = require('express')
const lanes = require('./lanes')

const app = express()
app.use(compression())
app.set('view engine', 'pug')
app.get('/', (request, response) => response.render('lanes', { lanes: lanes.all() }))
app.get('/lanes/:number', (request, response) => {
  const lane = lanes.find(Number(request.params.number))
  lane ? response.json(lane) : response.status(404).json({ error: 'no such lane' })
})

const port = process.env.PORT || 8080
app.listen(port, () => console.log(`open on ${port}`))
