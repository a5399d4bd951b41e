const express = require('express')

const app = express()
app.get('/', (_request, response) => response.send('hello'))
app.listen(Number(process.env.PORT))
