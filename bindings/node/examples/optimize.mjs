// `node optimize.mjs FOLDER [YYYY-MM-DD [FILE]]`: the ladder down from a Dockerfile, as JSON.

import { BuildFiles } from '../index.js'

const [folder, asOf, change] = process.argv.slice(2)
const files = BuildFiles.open(folder)
const analysis = files.dockerfile.analyze({ context: files.context, asOf })
const plan = analysis.plan({ objective: 'cold-pull', applicability: 'unsafe', change })
process.stdout.write(plan.toJson())
