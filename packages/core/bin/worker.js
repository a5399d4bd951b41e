// Loaded into each worker before the app: the app itself need not know that it is one of several.
import { superviseThisWorker } from '@stepladder/core/worker'

superviseThisWorker()
