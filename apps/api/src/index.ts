export { ApiModule } from './api.module'
export { serve } from './http'
