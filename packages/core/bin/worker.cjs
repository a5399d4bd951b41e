// Loaded into each worker before the app, which itself need not know that it is one of several. By --require:
// --import would start Node's loader of ES modules, which takes longer than all that is loaded here.
const { superviseThisWorker } = require('@stepladder/core/worker')

superviseThisWorker()
