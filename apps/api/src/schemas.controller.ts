import { Controller, Get, Header } from '@nestjs/common'
import { ApiTags } from '@nestjs/swagger'
import { z } from 'zod'
import { policySchema } from '#contracts'
import { Access } from './access'

/** JSON Schemas of the documents that others write or read, made from the very schemas that they are held against. */
@ApiTags('schemas')
@Controller('schemas')
export class SchemasController {
  /** What an agency may write as a policy. What a shape can't say, a check says. */
  @Get('policy.json')
  @Access('everyone')
  @Header('content-type', 'application/schema+json; charset=utf-8')
  @Header('cache-control', 'public, max-age=3600')
  policy(): string {
    return POLICY
  }
}

const POLICY = JSON.stringify({
  ...z.toJSONSchema(policySchema, { target: 'draft-2020-12', io: 'input', unrepresentable: 'any' }),
  $id: '/schemas/policy.json',
  title: 'Roadmeter policy',
})
