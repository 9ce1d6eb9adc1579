import { openWorld } from '../harness'
import { everyInput } from './every-input.suite'

describe('every input gets its answer, at our own broker', () =>
  everyInput(async (now) => {
    const world = await openWorld(now)
    return { world, url: world.mqttUrl, isOurs: true, admit: async () => undefined }
  }))
