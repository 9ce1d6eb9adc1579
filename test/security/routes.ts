import { RequestMethod } from '@nestjs/common'
import { ModulesContainer } from '@nestjs/core'
import { type World } from '../harness'

/** Every route of every controller that runs, documented or not, as `GET /v1/statements`. */
export function routesOf(world: World): string[] {
  const found = new Set<string>()
  for (const module of world.app.get(ModulesContainer).values())
    for (const { metatype } of module.controllers.values()) {
      if (!metatype) continue
      const prototype = (metatype as { prototype: object }).prototype
      for (const name of Object.getOwnPropertyNames(prototype)) {
        const handler = Object.getOwnPropertyDescriptor(prototype, name)!.value as object | undefined
        if (name === 'constructor' || typeof handler !== 'function') continue
        const paths = Reflect.getMetadata('path', handler) as string | string[] | undefined
        if (paths === undefined) continue
        const method = RequestMethod[Reflect.getMetadata('method', handler) as number]
        for (const path of [paths].flat()) {
          const parts = `${Reflect.getMetadata('path', metatype) as string}/${path}`.split('/').filter(Boolean)
          found.add(`${method} /${parts.join('/')}`)
        }
      }
    }
  return [...found].sort()
}
